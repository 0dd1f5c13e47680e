//! Killed, stopped, run twice at once, or extended: what finished stays, and the result is the same to the bit.

use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};
use serde_json::Value;

use crate::common::{Folder, Ran, timeless};

/// Long enough to be killed in the middle: 4 methods, 5 rates, 4 folds.
const LONG: &str = "compare breast-cancer --optimizers sgd,nag,rmsprop,adam --learning-rates 1e-3..1:5 --folds 4 \
                    --epochs 30 --patience 0 --hidden 32 --jobs 2 --format json --quiet";

/// All of LONG's trials, refits included.
const TRIALS: usize = 4 * 4 * (5 + 1);

/// How many trials the store holds; 0 as long as it is not there.
fn stored(folder: &Path) -> usize {
    let count = || -> rusqlite::Result<usize> {
        let connection =
            Connection::open_with_flags(folder.join("study.sqlite"), OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        connection.busy_timeout(Duration::from_secs(5))?;
        connection.query_row("SELECT count(*) FROM trials", [], |row| Ok(row.get::<_, u32>(0)? as usize))
    };
    count().unwrap_or(0)
}

/// Waits until the store holds `least` trials.
fn wait_for(folder: &Path, least: usize, child: &mut Child) {
    let start = Instant::now();
    while stored(folder) < least {
        assert!(child.try_wait().expect("a child").is_none(), "it ended before {least} trials");
        assert!(start.elapsed() < Duration::from_secs(120), "no {least} trials in two minutes");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Every trial with the time it took: equal only if it was not run again.
fn records(folder: &Path) -> Vec<(String, String)> {
    let connection = Connection::open(folder.join("study.sqlite")).expect("a store");
    let mut statement = connection.prepare("SELECT key, record FROM trials ORDER BY key").expect("a table");
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).expect("rows");
    rows.map(|row| row.expect("a row")).collect()
}

fn json(ran: &Ran) -> Value {
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
    serde_json::from_str(&ran.out).expect("JSON")
}

#[test]
fn a_killed_study_goes_on_and_ends_with_the_same_bits() {
    let folder = Folder::new("killed");
    let whole = timeless(json(&folder.run(&format!("{LONG} --out whole"))));
    let killed = folder.path().join("killed");
    for least in [1, 9, 23, 50, 80] {
        let mut child = folder.command(&format!("{LONG} --out killed")).spawn().expect("it starts");
        wait_for(&killed, least, &mut child);
        child.kill().expect("a kill");
        let ran = Ran::new(child.wait_with_output().expect("it ends"));
        assert_eq!((ran.code, ran.out.as_str()), (None, ""), "killed at {least}");
        assert!(stored(&killed) >= least);
    }
    let before = records(&killed);
    assert!(before.len() < TRIALS, "it was killed too late to mean anything");
    let unfinished = folder.run("report killed");
    assert_eq!(unfinished.code, Some(2));
    assert!(unfinished.err.contains("run its `thalweg compare` command again"), "{}", unfinished.err);
    assert_eq!(timeless(json(&folder.run(&format!("{LONG} --out killed")))), whole);
    let after = records(&killed);
    assert_eq!(after.len(), TRIALS);
    assert!(
        before.iter().all(|record| after.binary_search(record).is_ok()),
        "a finished trial was run again"
    );
}

#[cfg(unix)]
#[test]
fn ctrl_c_stops_cleanly_and_says_how_to_go_on() {
    let folder = Folder::new("ctrl-c");
    let out = folder.path().join("o");
    let mut child = folder.command(&format!("{LONG} --out o")).spawn().expect("it starts");
    wait_for(&out, 10, &mut child);
    let kill = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill");
    assert!(kill.success());
    let ran = Ran::new(child.wait_with_output().expect("it ends"));
    assert_eq!(ran.code, Some(130), "{}", ran.err);
    assert_eq!(ran.out, "");
    assert!(ran.err.contains("kept in o") && ran.err.contains("run the same command again"), "{}", ran.err);
    assert!(!out.join("report.html").exists(), "no report of half a study");
    let before = records(&out);
    assert!((10..TRIALS).contains(&before.len()));
    let resumed = json(&folder.run(&format!("{LONG} --out o")));
    let after = records(&out);
    assert!(
        before.iter().all(|record| after.binary_search(record).is_ok()),
        "a finished trial was run again"
    );
    assert_eq!(timeless(resumed), timeless(json(&folder.run(&format!("{LONG} --out whole")))));
}

#[test]
fn two_processes_share_a_folder() {
    let folder = Folder::new("twice");
    let start = || folder.command(&format!("{LONG} --out o")).spawn().expect("it starts");
    let (one, two) = (start(), start());
    let [one, two] = [one, two].map(|child| json(&Ran::new(child.wait_with_output().expect("it ends"))));
    assert_eq!(timeless(one), timeless(two));
    assert_eq!(stored(&folder.path().join("o")), TRIALS);
}

#[test]
fn a_method_added_later_reuses_what_is_there() {
    let folder = Folder::new("added");
    let compare = |optimizers: &str, out: &str| {
        folder.json(&format!(
            "compare iris --optimizers {optimizers} --learning-rates 0.01,0.1 --folds 3 --epochs 4 --out {out}"
        ))
    };
    compare("sgd,adam", "o");
    let before = records(&folder.path().join("o"));
    let grown = compare("sgd,adam,nag", "o");
    let after = records(&folder.path().join("o"));
    assert_eq!((before.len(), after.len()), (18, 27));
    assert!(before.iter().all(|record| after.binary_search(record).is_ok()));
    assert_eq!(timeless(grown), timeless(compare("sgd,adam,nag", "fresh")));
    // The report is of what was compared last.
    assert_eq!(folder.json("report o")["ranking"].as_array().map(Vec::len), Some(3));
    compare("sgd,adam", "o");
    assert_eq!(folder.json("report o")["ranking"].as_array().map(Vec::len), Some(2));
    assert_eq!(records(&folder.path().join("o")), after);
}

#[test]
fn a_cut_off_store_is_told_and_left_alone() {
    let folder = Folder::new("cut");
    folder.good("compare iris --optimizers sgd --learning-rates 0.1 --folds 3 --epochs 2 --out o");
    let path = folder.path().join("o/study.sqlite");
    let bytes = std::fs::read(&path).expect("a store");
    folder.write("o/study.sqlite", &bytes[..bytes.len() / 3]);
    let before = folder.contents();
    let ran = folder.run("compare iris --optimizers sgd --learning-rates 0.1 --folds 3 --epochs 2 --out o");
    assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""), "{}", ran.err);
    assert!(ran.err.contains("o/study.sqlite") && ran.err.contains("may be damaged"), "{}", ran.err);
    assert!(folder.contents() == before, "a damaged store was changed");
}
