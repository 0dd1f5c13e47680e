//! The store: one SQLite file per output folder, in which every finished trial is kept at once.
//!
//! A trial is written in a transaction of its own, so a process may be killed at any moment and loses at most the
//! trials that were still running. A study is written as complete only after its last trial.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OptionalExtension, params};

use crate::study::{StudyRecord, TrialRecord};

/// The file in the output folder.
pub const FILE: &str = "study.sqlite";

/// «THLW»: marks the file as ours.
const APPLICATION: i64 = 0x5448_4c57;

/// The layout of the tables.
const VERSION: i64 = 1;

const SCHEMA: &str = "
    CREATE TABLE trials (
        key TEXT PRIMARY KEY,
        record TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE studies (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        record TEXT NOT NULL UNIQUE
    );
    CREATE TABLE study_trials (
        study INTEGER NOT NULL REFERENCES studies (id) ON DELETE CASCADE,
        position INTEGER NOT NULL,
        fold INTEGER NOT NULL,
        trial TEXT NOT NULL REFERENCES trials (key),
        PRIMARY KEY (study, position)
    ) WITHOUT ROWID;
";

/// Why a store cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The output folder cannot be made.
    #[error("--out {}: the folder cannot be made: {cause}; name another with --out DIR", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// The system's words.
        cause: std::io::Error,
    },
    /// The output path is a file.
    #[error("--out {}: this is a file, not a folder; name a folder with --out DIR", path.display())]
    NotAFolder {
        /// The path.
        path: PathBuf,
    },
    /// There is no store.
    #[error("{}: there is no study here ({FILE} is missing); make one with `thalweg compare … --out {}`", path.display(), path.display())]
    Missing {
        /// The folder.
        path: PathBuf,
    },
    /// A file of that name that is not a store.
    #[error("{}: this file is not a Thalweg store; move it away, or name another folder with --out DIR", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// A store of another version.
    #[error(
        "{}: this store has layout {found}, but this version of thalweg reads layout {VERSION}; use the version that \
         made it, or name another folder with --out DIR", path.display()
    )]
    Version {
        /// The file.
        path: PathBuf,
        /// Its layout.
        found: i64,
    },
    /// It cannot be written.
    #[error("{}: the store cannot be written ({cause}); check the folder's permissions and free space, or name another with --out DIR", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// The database's words.
        cause: rusqlite::Error,
    },
    /// It could be written at first, but not any more.
    #[error("{}: a result could not be written ({cause}); free space and run the same command again to go on", path.display())]
    Broken {
        /// The file.
        path: PathBuf,
        /// The database's words.
        cause: rusqlite::Error,
    },
    /// A record that cannot be read back.
    #[error("{}: a record cannot be read ({cause}); the file may be damaged: move it away and run again", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        cause: String,
    },
    /// The study did not finish.
    #[error("{}: no study here has finished; run its `thalweg compare` command again to go on", path.display())]
    Unfinished {
        /// The file.
        path: PathBuf,
    },
}

impl StoreError {
    /// Whether the user named a path that cannot be used (exit code 2), rather than something failing under way.
    pub fn is_usage(&self) -> bool {
        !matches!(self, Self::Damaged { .. } | Self::Broken { .. })
    }
}

/// An open store.
#[derive(Debug)]
pub struct Store {
    connection: Connection,
    path: PathBuf,
}

impl Store {
    /// Opens the store in `folder`, making both if they are missing.
    ///
    /// # Errors
    /// See [`StoreError`]; a file that is not ours is left as it is.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        if folder.exists() && !folder.is_dir() {
            return Err(StoreError::NotAFolder { path: folder.to_owned() });
        }
        std::fs::create_dir_all(folder)
            .map_err(|cause| StoreError::Folder { path: folder.to_owned(), cause })?;
        Self::connect(folder.join(FILE), true)
    }

    /// Opens a store that must be there.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn open_existing(folder: &Path) -> Result<Self, StoreError> {
        let path = folder.join(FILE);
        if !path.is_file() {
            return Err(StoreError::Missing { path: folder.to_owned() });
        }
        Self::connect(path, false)
    }

    fn connect(path: PathBuf, create: bool) -> Result<Self, StoreError> {
        let attempt = || -> rusqlite::Result<Result<Connection, StoreError>> {
            let mut connection = Connection::open(&path)?;
            connection.busy_timeout(Duration::from_secs(30))?;
            let transaction = connection.transaction_with_behavior(if create {
                rusqlite::TransactionBehavior::Immediate
            } else {
                rusqlite::TransactionBehavior::Deferred
            })?;
            let number =
                |pragma: &str| transaction.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
            let tables: i64 =
                transaction.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
            match (number("application_id")?, number("user_version")?) {
                (0, 0) if tables == 0 && create => {
                    transaction.execute_batch(SCHEMA)?;
                    transaction.pragma_update(None, "application_id", APPLICATION)?;
                    transaction.pragma_update(None, "user_version", VERSION)?;
                }
                (APPLICATION, VERSION) => {}
                (APPLICATION, found) => {
                    return Ok(Err(StoreError::Version { path: path.clone(), found }));
                }
                _ => return Ok(Err(StoreError::Foreign { path: path.clone() })),
            }
            transaction.commit()?;
            if create {
                // Readers and writers do not wait for each other. A killed process loses nothing that was committed; a power
                // cut may lose the last trials, never the file.
                connection.pragma_update(None, "journal_mode", "WAL")?;
                connection.pragma_update(None, "synchronous", "NORMAL")?;
            }
            connection.pragma_update(None, "foreign_keys", true)?;
            Ok(Ok(connection))
        };
        match attempt() {
            Ok(Ok(connection)) => Ok(Self { connection, path }),
            Ok(Err(error)) => Err(error),
            Err(cause) if cause.sqlite_error_code() == Some(ErrorCode::NotADatabase) => {
                Err(StoreError::Foreign { path })
            }
            Err(cause) if cause.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt) => {
                Err(StoreError::Damaged { path, cause: cause.to_string() })
            }
            Err(cause) => Err(StoreError::Unwritable { path, cause }),
        }
    }

    /// Every finished trial, by key.
    ///
    /// # Errors
    /// If the file is damaged.
    pub fn trials(&self) -> Result<HashMap<String, TrialRecord>, StoreError> {
        let mut statement =
            self.connection.prepare("SELECT record FROM trials").map_err(|cause| self.damaged(&cause))?;
        let rows =
            statement.query_map([], |row| row.get::<_, String>(0)).map_err(|cause| self.damaged(&cause))?;
        rows.map(|text| {
            let record = self.read::<TrialRecord>(&text.map_err(|cause| self.damaged(&cause))?)?;
            Ok((record.key.clone(), record))
        })
        .collect()
    }

    /// Keeps a finished trial. One that is there already stays as it is.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn add(&self, record: &TrialRecord) -> Result<(), StoreError> {
        let text = serde_json::to_string(record).expect("plain data have a JSON form");
        self.connection
            .prepare_cached("INSERT OR IGNORE INTO trials (key, record) VALUES (?1, ?2)")
            .and_then(|mut statement| statement.execute(params![record.key, text]))
            .map(|_| ())
            .map_err(|cause| self.broken(cause))
    }

    /// Keeps a finished study with the list of its trials, as the latest.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn finish(&mut self, study: &StudyRecord, trials: &[TrialRecord]) -> Result<(), StoreError> {
        let text = serde_json::to_string(study).expect("plain data have a JSON form");
        let write = |connection: &mut Connection| -> rusqlite::Result<()> {
            let transaction = connection.transaction()?;
            transaction.execute("DELETE FROM studies WHERE record = ?1", params![text])?;
            transaction.execute("INSERT INTO studies (record) VALUES (?1)", params![text])?;
            let study = transaction.last_insert_rowid();
            let mut insert = transaction
                .prepare("INSERT INTO study_trials (study, position, fold, trial) VALUES (?1, ?2, ?3, ?4)")?;
            for (position, record) in trials.iter().enumerate() {
                insert.execute(params![study, position as i64, record.fold as i64, record.key])?;
            }
            drop(insert);
            transaction.commit()
        };
        write(&mut self.connection).map_err(|cause| self.broken(cause))
    }

    /// The study that finished last, with its trials in the order of its plan.
    ///
    /// # Errors
    /// If no study has finished, or the file is damaged.
    pub fn latest(&self) -> Result<(StudyRecord, Vec<TrialRecord>), StoreError> {
        let found: Option<(i64, String)> = self
            .connection
            .query_row("SELECT id, record FROM studies ORDER BY id DESC LIMIT 1", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()
            .map_err(|cause| self.damaged(&cause))?;
        let (id, text) = found.ok_or_else(|| StoreError::Unfinished { path: self.path.clone() })?;
        let study = self.read(&text)?;
        let query = "SELECT study_trials.fold, trials.record FROM study_trials JOIN trials ON trial = key \
                     WHERE study = ?1 ORDER BY position";
        let mut statement = self.connection.prepare(query).map_err(|cause| self.damaged(&cause))?;
        let rows = statement
            .query_map([id], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)))
            .map_err(|cause| self.damaged(&cause))?;
        let trials = rows
            .map(|row| {
                let (fold, text) = row.map_err(|cause| self.damaged(&cause))?;
                Ok(TrialRecord { fold: fold as usize, ..self.read(&text)? })
            })
            .collect::<Result<_, StoreError>>()?;
        Ok((study, trials))
    }

    fn read<V: serde::de::DeserializeOwned>(&self, text: &str) -> Result<V, StoreError> {
        serde_json::from_str(text).map_err(|cause| self.damaged(&cause))
    }

    fn damaged(&self, cause: &dyn std::fmt::Display) -> StoreError {
        StoreError::Damaged { path: self.path.clone(), cause: cause.to_string() }
    }

    fn broken(&self, cause: rusqlite::Error) -> StoreError {
        StoreError::Broken { path: self.path.clone(), cause }
    }
}
