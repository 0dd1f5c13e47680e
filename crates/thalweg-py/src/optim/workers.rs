//! The threads of an optimizer.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use thalweg::optim::Threads;

use super::store::Store;

/// More than any machine has use for in a pass over memory.
const MOST: usize = 1024;

/// Threads, which die with the process that made them.
pub(super) struct Workers {
    threads: Threads,
    process: u32,
}

impl Workers {
    /// None or `n` threads, a whole number.
    pub(super) fn new(count: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        let count = match count {
            None => 1,
            Some(given) => {
                given.extract().ok().filter(|count| (1..=MOST).contains(count)).ok_or_else(|| {
                    PyValueError::new_err(format!(
                        "threads = {given} is out of range: it must be a whole number from 1 to {MOST}"
                    ))
                })?
            }
        };
        Self::of(count)
    }

    fn of(count: usize) -> PyResult<Self> {
        let threads = Threads::new(count).map_err(|cause| {
            PyValueError::new_err(format!(
                "threads = {count}: the system does not give that many ({cause}); ask for fewer"
            ))
        })?;
        Ok(Self { threads, process: std::process::id() })
    }

    pub(super) fn count(&self) -> usize {
        self.threads.count()
    }

    pub(super) fn lend(&self, store: &mut dyn Store) {
        store.set_threads(&self.threads);
    }

    /// New threads in a process that was forked off: those of its parent are not there, and a step would wait for them
    /// forever.
    pub(super) fn renew(&mut self, store: &mut dyn Store) -> PyResult<()> {
        if self.process == std::process::id() || self.count() == 1 {
            return Ok(());
        }
        let new = Self::of(self.count())?;
        // To drop a pool is to wake its threads.
        std::mem::forget(std::mem::replace(self, new).threads);
        self.lend(store);
        Ok(())
    }
}
