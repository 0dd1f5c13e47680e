//! The source tree in memory: every file's path, the text of those that are text, and each Rust file read once.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::Path;

use super::rust_text::{blank_comments_and_strings, blank_ranges, test_items};

/// Folders that hold nothing written by hand.
const SKIPPED: &[&str] = &[".git", "target", "runs", "__pycache__", "node_modules", ".venv", ".pytest_cache"];
/// A longer file is data, not text.
const TEXT_BYTES_MAX: usize = 2_000_000;

/// Every file of the repository by its path from the root, with `/` between folders.
pub(super) struct Tree {
    texts: BTreeMap<String, Option<String>>,
    rust: Vec<RustFile>,
}

/// One Rust file. The blanked forms keep every byte's place, so that offsets and lines agree between them.
pub(super) struct RustFile {
    /// Path from the root.
    pub(super) path: String,
    /// The file as written.
    pub(super) text: String,
    /// Without comments and the insides of strings.
    pub(super) code: String,
    /// `code` without what is compiled for tests only; empty for a test file.
    pub(super) live: String,
    /// `text` without what is compiled for tests only; empty for a test file.
    pub(super) live_text: String,
}

impl Tree {
    /// Reads everything under `root` but the skipped folders.
    ///
    /// # Errors
    /// A folder or file that cannot be read.
    pub(super) fn read(root: &Path) -> io::Result<Self> {
        let mut texts = BTreeMap::new();
        collect(root, "", &mut texts)?;
        Ok(Self::from_texts(texts))
    }

    /// A made-up tree.
    #[cfg(test)]
    pub(super) fn of(files: &[(&str, &str)]) -> Self {
        Self::from_texts(
            files.iter().map(|(path, text)| (path.to_string(), Some(text.to_string()))).collect(),
        )
    }

    fn from_texts(texts: BTreeMap<String, Option<String>>) -> Self {
        let parsed: Vec<(String, String, String)> = texts
            .iter()
            .filter(|(path, _)| path.ends_with(".rs"))
            .filter_map(|(path, text)| Some((path.clone(), text.clone()?)))
            .map(|(path, text)| {
                let code = blank_comments_and_strings(&text);
                (path, text, code)
            })
            .collect();
        let test_files: BTreeSet<String> = parsed
            .iter()
            .flat_map(|(path, _, code)| {
                test_items(code).modules.into_iter().flat_map(move |module| files_of_module(path, &module))
            })
            .collect();
        let rust = parsed
            .into_iter()
            .map(|(path, text, code)| {
                let is_test = is_test_path(&path) || test_files.contains(&path);
                let ranges = test_items(&code).ranges;
                let live = if is_test { String::new() } else { blank_ranges(&code, &ranges) };
                let live_text = if is_test { String::new() } else { blank_ranges(&text, &ranges) };
                RustFile { path, text, code, live, live_text }
            })
            .collect();
        Self { texts, rust }
    }

    /// The number of files.
    pub(super) fn len(&self) -> usize {
        self.texts.len()
    }

    /// The Rust files, by path.
    pub(super) fn rust(&self) -> &[RustFile] {
        &self.rust
    }

    /// Path and text of every file that is text.
    pub(super) fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.texts.iter().filter_map(|(path, text)| Some((path.as_str(), text.as_deref()?)))
    }

    /// A file's text.
    pub(super) fn text(&self, path: &str) -> Option<&str> {
        self.texts.get(path)?.as_deref()
    }

    /// Whether there is such a file or folder.
    pub(super) fn exists(&self, path: &str) -> bool {
        let path = path.trim_end_matches('/');
        let inside = format!("{path}/");
        path.is_empty() || self.texts.contains_key(path) || self.texts.keys().any(|p| p.starts_with(&inside))
    }
}

fn collect(folder: &Path, prefix: &str, texts: &mut BTreeMap<String, Option<String>>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let kind = entry.file_type()?;
        if SKIPPED.contains(&name.as_str()) {
            continue;
        }
        let path = format!("{prefix}{name}");
        if kind.is_dir() {
            collect(&entry.path(), &format!("{path}/"), texts)?;
        } else if kind.is_file() {
            let bytes = fs::read(entry.path())?;
            let text = if bytes.len() > TEXT_BYTES_MAX { None } else { String::from_utf8(bytes).ok() };
            texts.insert(path, text);
        }
    }
    Ok(())
}

/// Files that cargo builds for tests, benches and examples only.
fn is_test_path(path: &str) -> bool {
    path.split('/').any(|part| matches!(part, "tests" | "benches" | "examples" | "tests.rs"))
}

/// Where `mod module;` in the file at `path` may live.
fn files_of_module(path: &str, module: &str) -> [String; 2] {
    let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
    let home = match file {
        "mod.rs" | "lib.rs" | "main.rs" => folder.to_string(),
        other => format!("{folder}/{}", other.trim_end_matches(".rs")),
    };
    [format!("{home}/{module}.rs"), format!("{home}/{module}/mod.rs")]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_and_files_exist() {
        let tree = Tree::of(&[("a/b/c.txt", "")]);
        assert!(tree.exists("a/b/c.txt") && tree.exists("a/b") && tree.exists("a/"));
        assert!(!tree.exists("a/b/c") && !tree.exists("b"));
    }

    #[test]
    fn what_is_for_tests_only_is_not_live() {
        let tree = Tree::of(&[
            (
                "x/src/lib.rs",
                "fn live() {}\n#[cfg(test)]\nmod check;\n#[cfg(test)]\nmod tests { fn inner() {} }\n",
            ),
            ("x/src/check.rs", "fn helper() {}"),
            ("x/src/part.rs", "fn part() {}"),
            ("x/tests/all.rs", "fn outer() {}"),
        ]);
        let live: String = tree.rust().iter().map(|f| f.live.as_str()).collect();
        assert!(live.contains("live") && live.contains("part"));
        assert!(!live.contains("inner") && !live.contains("helper") && !live.contains("outer"));
    }
}
