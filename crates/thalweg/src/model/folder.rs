//! The model's folder on disk.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use thalweg_learn::{Model, Recipe};

use super::{ModelError, SavedModel, sidecar, weights};
use thalweg_learn::estimator::shape_of;

const WEIGHTS: &str = "model.safetensors";
const RECIPE: &str = "recipe.toml";
const SIDECAR: &str = "preparation.json";
const FILES: [&str; 3] = [WEIGHTS, RECIPE, SIDECAR];

/// Refuses a folder in which a model has no place, before anything is computed.
///
/// # Errors
/// [`ModelError::Exists`] without `force` if there is a model, [`ModelError::Foreign`] if there is anything else.
pub fn check_place(folder: &Path, force: bool) -> Result<(), ModelError> {
    let foreign = |what: String| ModelError::Foreign { path: folder.to_owned(), what };
    let unread = |cause| ModelError::System { path: folder.to_owned(), done: "written", cause };
    match fs::symlink_metadata(folder) {
        Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(()),
        Err(cause) if cause.kind() == ErrorKind::NotADirectory => {
            return Err(foreign("a part of its path is a file".to_owned()));
        }
        Err(cause) => return Err(unread(cause)),
        Ok(found) if !found.is_dir() => return Err(foreign("it is a file or a link".to_owned())),
        Ok(_) => {}
    }
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(unread)? {
        names.push(entry.map_err(unread)?.file_name().to_string_lossy().into_owned());
    }
    names.sort_unstable();
    if let Some(other) = names.iter().find(|name| !FILES.contains(&name.as_str())) {
        return Err(foreign(format!("it holds «{other}»")));
    }
    if names.is_empty() || force { Ok(()) } else { Err(ModelError::Exists(folder.to_owned())) }
}

pub(super) fn save(saved: &SavedModel, folder: &Path, force: bool) -> Result<(), ModelError> {
    check_place(folder, force)?;
    let recipe = toml::to_string(&saved.recipe).expect("a recipe has a TOML form");
    let contents: [(&str, Vec<u8>); 3] = [
        (WEIGHTS, weights::to_bytes(&saved.model)),
        (RECIPE, recipe.into_bytes()),
        (SIDECAR, sidecar::to_text(saved).into_bytes()),
    ];
    // Without a slash at the end, so that a name can be put behind it.
    let folder: PathBuf = folder.components().collect();
    let draft = beside(&folder, "new");
    let written = write(&draft, &contents).and_then(|()| put(&draft, &folder));
    written.map_err(|cause| {
        // Best effort: the first error is the one to tell.
        let _ = fs::remove_dir_all(&draft);
        ModelError::System { path: folder, done: "written", cause }
    })
}

/// A name beside the folder that no other process takes.
fn beside(folder: &Path, what: &str) -> PathBuf {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    folder.with_file_name(format!(".{name}.{what}.{}", std::process::id()))
}

fn write(draft: &Path, contents: &[(&str, Vec<u8>)]) -> std::io::Result<()> {
    fs::create_dir_all(draft)?;
    for (name, bytes) in contents {
        let mut file = File::create(draft.join(name))?;
        file.write_all(bytes)?;
        // On the disk before the folder has its name.
        file.sync_all()?;
    }
    Ok(())
}

/// Gives the draft its name; a model that had it goes when the new one is in its place.
fn put(draft: &Path, folder: &Path) -> std::io::Result<()> {
    if !folder.exists() {
        return fs::rename(draft, folder);
    }
    let old = beside(folder, "old");
    fs::rename(folder, &old)?;
    fs::rename(draft, folder).inspect_err(|_| {
        // Back to where it was.
        let _ = fs::rename(&old, folder);
    })?;
    // The new model is there; what is left of the old one harms nobody.
    let _ = fs::remove_dir_all(&old);
    Ok(())
}

pub(super) fn load(folder: &Path) -> Result<SavedModel, ModelError> {
    if !folder.is_dir() {
        return Err(ModelError::NoFolder(folder.to_owned()));
    }
    let [weights_path, recipe_path, sidecar_path] = FILES.map(|name| folder.join(name));
    let sidecar = sidecar::of_text(&sidecar_path, &text(folder, SIDECAR)?)?;
    let damaged = |path: &Path, what: String| ModelError::Damaged { path: path.to_owned(), what };
    let recipe: Recipe = toml::from_str(&text(folder, RECIPE)?)
        .map_err(|cause| damaged(&recipe_path, cause.to_string().trim().replace('\n', "; ")))?;
    if recipe.loss != sidecar.loss {
        let what =
            format!("its loss is {}, and that of {SIDECAR} is {}", recipe.loss.name(), sidecar.loss.name());
        return Err(damaged(&recipe_path, what));
    }
    let network = recipe
        .network(shape_of(&sidecar.preparation), sidecar.outputs())
        .map_err(|cause| damaged(&recipe_path, cause.to_string()))?;
    let bytes = bytes(folder, WEIGHTS)?;
    let (w, buffers) = weights::of_bytes(&network, &bytes).map_err(|what| damaged(&weights_path, what))?;
    let model = Model::new(network, w, buffers, recipe.loss);
    let sidecar::Sidecar { data, schema, preparation, .. } = sidecar;
    Ok(SavedModel { data, recipe, schema, preparation, model })
}

fn bytes(folder: &Path, file: &'static str) -> Result<Vec<u8>, ModelError> {
    let path = folder.join(file);
    fs::read(&path).map_err(|cause| match cause.kind() {
        ErrorKind::NotFound => ModelError::NoFile { folder: folder.to_owned(), file },
        _ => ModelError::System { path, done: "read", cause },
    })
}

fn text(folder: &Path, file: &'static str) -> Result<String, ModelError> {
    let unreadable =
        |_| ModelError::Damaged { path: folder.join(file), what: "it is not UTF-8 text".to_owned() };
    String::from_utf8(bytes(folder, file)?).map_err(unreadable)
}
