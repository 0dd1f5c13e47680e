//! A folder of its own for a test, and the command run in it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// An empty folder, gone with its value. Commands run in it, so that what they leave behind is seen.
pub(crate) struct Folder(PathBuf);

/// What a command wrote, and how it ended.
#[derive(Debug)]
pub(crate) struct Ran {
    /// The exit code; `None` if a signal ended it.
    pub(crate) code: Option<i32>,
    /// Standard output.
    pub(crate) out: String,
    /// Standard error.
    pub(crate) err: String,
}

impl Folder {
    /// `name` must be the test's own: tests run at the same time.
    pub(crate) fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        // What an earlier, killed run left.
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).expect("a folder for a test");
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().expect("a path in a folder")).expect("a folder for a test");
        std::fs::write(path, bytes).expect("a file for a test");
    }

    /// The command with these arguments (separated by white space), not yet started.
    pub(crate) fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_thalweg"));
        command.args(arguments.split_whitespace()).current_dir(&self.0).env_remove("NO_COLOR");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub(crate) fn run(&self, arguments: &str) -> Ran {
        Ran::new(self.command(arguments).output().expect("the command starts"))
    }

    /// Runs what must succeed.
    pub(crate) fn good(&self, arguments: &str) -> Ran {
        let ran = self.run(arguments);
        assert_eq!(ran.code, Some(0), "{arguments}: {}", ran.err);
        ran
    }

    /// Runs what must succeed with `--format json --quiet` and nothing on standard error.
    pub(crate) fn json(&self, arguments: &str) -> Value {
        let ran = self.good(&format!("{arguments} --format json --quiet"));
        assert_eq!(ran.err, "", "{arguments}");
        serde_json::from_str(&ran.out).expect("one JSON value")
    }

    /// Every file in the folder and below, with its bytes.
    pub(crate) fn contents(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut contents = BTreeMap::new();
        let mut folders = vec![self.0.clone()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder).expect("a readable folder") {
                let path = entry.expect("a readable entry").path();
                if path.is_dir() {
                    contents.insert(path.clone(), Vec::new());
                    folders.push(path);
                } else {
                    contents.insert(path.clone(), std::fs::read(&path).expect("a readable file"));
                }
            }
        }
        contents
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder that stays behind under `target` harms nobody.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl Ran {
    pub(crate) fn new(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8 output");
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
}

/// A study without what may differ between equal runs: every `seconds`.
pub(crate) fn timeless(mut value: Value) -> String {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(map) => {
                map.remove("seconds");
                map.values_mut().for_each(strip);
            }
            Value::Array(items) => items.iter_mut().for_each(strip),
            _ => {}
        }
    }
    strip(&mut value);
    value.to_string()
}

/// A CSV text: a header and `rows` lines.
pub(crate) fn csv(header: &str, rows: usize, row: impl Fn(usize) -> String) -> String {
    std::iter::once(header.to_owned()).chain((0..rows).map(row)).map(|line| line + "\n").collect()
}
