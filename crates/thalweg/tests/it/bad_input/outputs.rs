//! Output folders and stores that are refused.

use rusqlite::Connection;

use super::{Case, files};
use crate::common::Folder;

/// Output paths that cannot be used.
pub(super) fn wrong_outputs() -> Vec<Case> {
    const RUN: &str = "compare iris --out o --epochs 1 --optimizers sgd --learning-rates 0.1";
    let store = |bytes: &[u8]| files([("o/study.sqlite", bytes)]);
    let jpeg: Vec<u8> =
        b"\xff\xd8\xff\xe0\0\x10JFIF\0".iter().copied().chain((0..=255).cycle().take(5000)).collect();
    vec![
        ("out is a file", files([("o", b"mine")]), RUN, &["--out o", "a file, not a folder"]),
        (
            "out below a file",
            files([("o", b"mine")]),
            "compare iris --out o/deep/er",
            &["--out o/deep/er", "another"],
        ),
        (
            "out in /proc",
            vec![],
            "compare iris --out /proc/thalweg",
            &["--out /proc/thalweg", "cannot be made"],
        ),
        ("out is a device", vec![], "compare iris --out /dev/full", &["--out /dev/full", "not a folder"]),
        ("runs is a file", files([("runs", b"mine")]), "compare iris", &["runs/iris", "--out DIR"]),
        (
            "text named like the store",
            store(b"my notes\n"),
            RUN,
            &["o/study.sqlite", "not a Thalweg store", "move it"],
        ),
        (
            "JPEG named like the store",
            store(&jpeg),
            RUN,
            &["o/study.sqlite", "not a Thalweg store", "move it"],
        ),
        ("somebody's database", store(&database(0, 0)), RUN, &["o/study.sqlite", "not a Thalweg store"]),
        (
            "somebody's marked database",
            store(&database(0x1234, 1)),
            RUN,
            &["not a Thalweg store", "--out DIR"],
        ),
        ("a newer store", store(&database(0x5448_4c57, 99)), RUN, &["layout 99", "layout 1", "another"]),
        (
            "a folder named like the store",
            files([("o/study.sqlite/x", b"")]),
            RUN,
            &["o/study.sqlite", "--out DIR"],
        ),
        (
            "a folder named like the report",
            files([("o/report.html/x", b"")]),
            RUN,
            &["o/report.html", "a folder"],
        ),
        (
            "find-lr into a file",
            files([("o", b"mine")]),
            "find-lr iris --out o",
            &["--out o", "a file, not a folder"],
        ),
        (
            "a folder named like find-lr's page",
            files([("o/find-lr-adam.html/x", b"")]),
            "find-lr iris --out o",
            &["o/find-lr-adam.html", "a folder"],
        ),
        ("report of nothing", vec![], "report o", &["o", "no study here", "thalweg compare"]),
        ("report of text", store(b"my notes\n"), "report o", &["o/study.sqlite", "not a Thalweg store"]),
        ("report of a newer store", store(&database(0x5448_4c57, 99)), "report o", &["layout 99"]),
        ("report of somebody's", store(&database(0, 0)), "report o", &["not a Thalweg store"]),
        ("report of an empty file", store(b""), "report o", &["not a Thalweg store"]),
        ("report's format", vec![], "report o --format pdf", &["--format", "pdf", "markdown"]),
    ]
}

/// A SQLite file with a table, marked as an application's.
fn database(application: i64, version: i64) -> Vec<u8> {
    let folder = Folder::new(&format!("database-{application}-{version}"));
    let path = folder.path().join("a.sqlite");
    let connection = Connection::open(&path).expect("a database");
    connection
        .execute_batch("CREATE TABLE songs (title TEXT); INSERT INTO songs VALUES ('x')")
        .expect("a table");
    connection.pragma_update(None, "application_id", application).expect("a mark");
    connection.pragma_update(None, "user_version", version).expect("a mark");
    connection.close().expect("closed");
    std::fs::read(path).expect("a database file")
}
