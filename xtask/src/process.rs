//! Running other programs: from the repository's root, with no stdin, their output kept in a log.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::error::ChoreError;

/// The repository's root: the parent of this package's folder.
pub(crate) fn root() -> PathBuf {
    let manifest =
        std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let folder = PathBuf::from(manifest);
    folder.parent().map_or(folder.clone(), Path::to_path_buf)
}

/// Where cargo builds.
pub(crate) fn target_dir() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |dir| root().join(dir))
}

/// A program to be started from the root, with no stdin: nothing can wait for an answer.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root()).stdin(Stdio::null());
    command
}

/// The cargo that started us.
pub(crate) fn cargo() -> Command {
    let mut cargo = command(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // These describe the xtask package; build scripts and tests of other packages must not inherit them.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            cargo.env_remove(&name);
        }
    }
    cargo
}

/// Runs to the end with both output streams in `target/xtask/<log>.log`, in their true order; gives the log's text.
///
/// # Errors
/// A program that cannot start or ends without success; the message holds the command line and all it printed.
pub(crate) fn run_logged(command: &mut Command, log: &str) -> Result<String, ChoreError> {
    let folder = root().join("target").join("xtask");
    let path = folder.join(format!("{log}.log"));
    let open = || -> std::io::Result<(File, File)> {
        fs::create_dir_all(&folder)?;
        let file = File::create(&path)?;
        Ok((file.try_clone()?, file))
    };
    let (out, err) =
        open().map_err(|e| ChoreError::failed(format!("cannot write {}: {e}", path.display())))?;
    let status = command.stdout(out).stderr(err).status();
    let text = fs::read(&path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    match status {
        Ok(status) if status.success() => Ok(text),
        Ok(status) => Err(ChoreError::failed(format!("{text}\n`{}` ended with {status}", line_of(command)))),
        Err(e) => Err(ChoreError::failed(format!("cannot start `{}`: {e}", line_of(command)))),
    }
}

/// What a program prints on stdout; stderr is part of the message when it fails.
///
/// # Errors
/// As [`run_logged`].
pub(crate) fn stdout_of(command: &mut Command) -> Result<String, ChoreError> {
    let output = command
        .output()
        .map_err(|e| ChoreError::failed(format!("cannot start `{}`: {e}", line_of(command))))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    Err(ChoreError::failed(format!("{stderr}\n`{}` ended with {}", line_of(command), output.status)))
}

/// The command line, for messages.
pub(crate) fn line_of(command: &Command) -> String {
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|part| part.to_string_lossy().into_owned())
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_failing_program_shows_its_output_and_command_line() {
        let error =
            run_logged(command("sh").args(["-c", "echo heard; echo seen >&2; exit 3"]), "unit-failing")
                .expect_err("exit 3")
                .to_string();
        assert!(error.contains("heard\nseen\n") && error.contains("`sh -c"), "{error}");
    }

    #[test]
    fn a_missing_program_is_named() {
        let error = stdout_of(&mut command("no-such-program-here")).expect_err("missing").to_string();
        assert!(error.contains("cannot start `no-such-program-here`"), "{error}");
    }

    #[test]
    fn stdin_is_empty() {
        assert_eq!(stdout_of(&mut command("cat")).expect("cat runs"), "");
    }
}
