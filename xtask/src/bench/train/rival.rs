//! A contender's process: started once, asked for a turn again and again, so that all take turns without a start each.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use serde_json::Value;

use crate::error::ChoreError;
use crate::process::line_of;

/// Longest wait for the answer of a turn, beyond its own seconds.
const ANSWER_SECONDS_MAX: u64 = 120;

/// A process that waits for its turn.
pub(super) struct Rival {
    line: String,
    child: Child,
    /// `None` once it was told to end.
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
    /// What it said of itself before the first turn.
    pub(super) ready: Value,
}

/// How a start ended.
pub(super) enum Started {
    Ready(Rival),
    /// It cannot do this, and says why.
    Absent(String),
}

impl Rival {
    /// Starts the program and waits for its first line.
    ///
    /// # Errors
    /// If it does not start, or ends without a line.
    pub(super) fn start(mut command: Command, seconds_max: u64) -> Result<Started, ChoreError> {
        let line = line_of(&command);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|e| ChoreError::failed(format!("cannot start `{line}`: {e}")))?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let (send, lines) = channel();
        // Ends with the process, whose stdout closes then.
        std::thread::spawn(move || {
            let lines = stdout.into_iter().flat_map(|stdout| BufReader::new(stdout).lines());
            lines.map_while(Result::ok).all(|line| send.send(line).is_ok())
        });
        let mut rival = Self { line, child, stdin, lines, ready: Value::Null };
        match rival.next_line(seconds_max)? {
            None => {
                rival.child.kill().ok();
                Ok(Started::Absent(format!("not ready within {seconds_max} s")))
            }
            Some(row) => match row["absent"].as_str() {
                Some(why) => Ok(Started::Absent(why.to_owned())),
                None => {
                    rival.ready = row;
                    Ok(Started::Ready(rival))
                }
            },
        }
    }

    /// Lets it begin a turn.
    ///
    /// # Errors
    /// If it has ended.
    pub(super) fn go(&mut self) -> Result<(), ChoreError> {
        let stdin = self.stdin.as_mut().ok_or_else(|| ChoreError::failed("a rival has no stdin"))?;
        writeln!(stdin)
            .and_then(|()| stdin.flush())
            .map_err(|e| ChoreError::failed(format!("`{}` takes no turn: {e}", self.line)))
    }

    /// The figures of the turn that it began.
    ///
    /// # Errors
    /// If it ends, prints something else, or takes far too long.
    pub(super) fn answer(&mut self) -> Result<Turn, ChoreError> {
        let row = self.next_line(ANSWER_SECONDS_MAX)?.unwrap_or_default();
        let number = |key: &str| row[key].as_f64().filter(|value| *value > 0.0);
        match (number("steps"), number("samples"), number("seconds")) {
            (Some(steps), Some(samples), Some(seconds)) => {
                Ok(Turn { samples_per_second: samples / seconds, step_us: 1e6 * seconds / steps })
            }
            _ => {
                Err(ChoreError::failed(format!("`{}` answered {row} instead of a turn's figures", self.line)))
            }
        }
    }

    /// `None` if it says nothing for so long.
    fn next_line(&mut self, seconds_max: u64) -> Result<Option<Value>, ChoreError> {
        let text = match self.lines.recv_timeout(Duration::from_secs(seconds_max)) {
            Ok(text) => text,
            Err(RecvTimeoutError::Timeout) => return Ok(None),
            Err(RecvTimeoutError::Disconnected) => {
                return Err(ChoreError::failed(format!(
                    "`{}` ended too early: its message is above",
                    self.line
                )));
            }
        };
        serde_json::from_str(&text).map(Some).map_err(|e| {
            ChoreError::failed(format!("`{}` printed «{text}», which is no row of JSON: {e}", self.line))
        })
    }
}

impl Drop for Rival {
    /// The end of its stdin is the end of its turns. Nobody stays behind, even when another failed.
    fn drop(&mut self) {
        self.stdin = None;
        for _ in 0..100 {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// What one turn gave.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Turn {
    pub(super) samples_per_second: f64,
    pub(super) step_us: f64,
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::process::command;

    fn start(script: &str, seconds_max: u64) -> Result<Started, ChoreError> {
        let mut shell = command("sh");
        shell.args(["-c", script]);
        Rival::start(shell, seconds_max)
    }

    #[test]
    fn turns_are_taken_when_told() {
        let script = r#"echo '{"parameters": 7}'; while read -r _; do echo '{"steps": 4, "samples": 64, "seconds": 2}'; done"#;
        let Ok(Started::Ready(mut rival)) = start(script, 10) else { panic!("it is ready") };
        assert_eq!(rival.ready["parameters"], 7);
        for _ in 0..2 {
            rival.go().expect("it waits");
            let turn = rival.answer().expect("figures");
            assert_eq!(turn, Turn { samples_per_second: 32.0, step_us: 500_000.0 });
        }
    }

    #[test]
    fn who_cannot_or_is_late_is_absent() {
        let Ok(Started::Absent(why)) = start(r#"echo '{"absent": "no convolutions"}'"#, 10) else {
            panic!("it says that it cannot")
        };
        assert_eq!(why, "no convolutions");
        let Ok(Started::Absent(why)) = start("exec sleep 60", 1) else { panic!("it is late") };
        assert_eq!(why, "not ready within 1 s");
    }

    #[test]
    fn who_fails_is_told() {
        let error = start("exit 3", 10).err().expect("it ended").to_string();
        assert!(error.contains("`sh -c exit 3` ended too early"), "{error}");
        let Ok(Started::Ready(mut rival)) = start("echo '{}'; read -r _; echo '{\"steps\": 0}'", 10) else {
            panic!("it is ready")
        };
        rival.go().expect("it waits");
        assert!(rival.answer().expect_err("no figures").to_string().contains("instead of a turn's figures"));
    }
}
