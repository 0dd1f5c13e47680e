//! Races that nobody can run, and places where their page cannot be.

use super::{Case, files};

pub(super) fn wrong_races() -> Vec<Case> {
    vec![
        (
            "a function",
            vec![],
            "race --function rosenbrok",
            &["--function", "«rosenbrok»", "«rosenbrock»?", "all"],
        ),
        ("no function", vec![], "race --function ,", &["--function (none)", "at least one name"]),
        (
            "a function twice",
            vec![],
            "race --function booth,beale,booth",
            &["--function booth", "named once"],
        ),
        ("all and one", vec![], "race --function booth,all", &["--function all", "stands for every one"]),
        ("an optimizer", vec![], "race --optimizers sgd,adm", &["--optimizers", "«adm»", "«adam»?"]),
        ("no optimizer", vec![], "race --optimizers ,", &["--optimizers (none)", "at least one name"]),
        ("an optimizer twice", vec![], "race --optimizers sgd,sgd", &["--optimizers sgd", "named once"]),
        ("a dialect", vec![], "race --dialect pytorch9", &["--dialect", "torch", "textbook"]),
        ("no steps", vec![], "race --steps 0", &["--steps 0", "from 1 to 100000"]),
        ("many steps", vec![], "race --steps 100001", &["--steps 100001", "from 1 to 100000"]),
        ("steps below 0", vec![], "race --steps -5", &["--steps", "-5", "a whole number"]),
        ("half a step", vec![], "race --steps 1.5", &["--steps", "1.5", "a whole number"]),
        ("a rate of 0", vec![], "race --lr 0", &["--lr", "(0, ∞)"]),
        ("a rate below 0", vec![], "race --lr -0.1", &["--lr", "-0.1", "(0, ∞)"]),
        ("a rate that is none", vec![], "race --lr nan", &["--lr", "NaN", "(0, ∞)"]),
        ("an endless rate", vec![], "race --lr inf", &["--lr", "inf", "(0, ∞)"]),
        ("a word for a rate", vec![], "race --lr fast", &["--lr", "«fast» is not a number"]),
        ("a rate too small to divide", vec![], "race --lr 1e-300", &["--lr 1e-300", "from 1e-30 to 1e30"]),
        ("a grid downwards", vec![], "race --lr 1..0.1:3", &["--lr", "first must be smaller"]),
        ("a start that is none", vec![], "race --start nan,1", &["--start NaN,1", "two numbers", "1000"]),
        ("an endless start", vec![], "race --start 0,inf", &["--start 0,inf", "two numbers"]),
        ("a far start", vec![], "race --start 1e9,0", &["--start 1000000000,0", "from −1000 to 1000"]),
        ("half a start", vec![], "race --start 1", &["--start", "two numbers", "-1.5,2"]),
        ("a start in space", vec![], "race --start 1,2,3", &["--start", "two numbers"]),
        ("a word for a start", vec![], "race --start here,there", &["--start", "two numbers"]),
        ("a format", vec![], "race --format gif", &["--format", "gif", "markdown"]),
        (
            "the page is a folder",
            files([("o/x", b"")]),
            "race --steps 9 --out o",
            &["--out o", "a folder", "race.html"],
        ),
        (
            "the page below a file",
            files([("o", b"mine")]),
            "race --steps 9 --out o/race.html",
            &["--out o/race.html", "another"],
        ),
        (
            "the page in /proc",
            vec![],
            "race --steps 9 --out /proc/race.html",
            &["--out /proc/race.html", "another"],
        ),
        ("the page is a device", vec![], "race --steps 9 --out /dev/full", &["--out /dev/full", "a device"]),
        ("no page", vec![], "race --steps 9 --out ..", &["--out ..", "a folder"]),
    ]
}
