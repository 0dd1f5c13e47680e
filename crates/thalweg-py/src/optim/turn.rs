//! One step at a time: who wants the parameters' optimizer waits for its turn, while Python goes on.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::sync::MutexExt;

use super::store::Store;

/// The parameters' optimizer, for one thread at a time.
pub(super) struct Turns {
    store: Mutex<Box<dyn Store>>,
    /// Whose turn it is. A closure that asks for another would wait for itself.
    holder: Mutex<Option<ThreadId>>,
    /// As of the last turn: it can be read while one is under way.
    steps: AtomicU64,
}

impl Turns {
    pub(super) fn new(store: Box<dyn Store>) -> Self {
        let steps = AtomicU64::new(store.steps());
        Self { store: Mutex::new(store), holder: Mutex::new(None), steps }
    }

    /// Waits until no other thread has its turn; Python runs meanwhile. Within a step of the same thread it is an error.
    pub(super) fn take(&self, py: Python<'_>, what: &str) -> PyResult<Turn<'_>> {
        let own = thread::current().id();
        if *lock(&self.holder) == Some(own) {
            return Err(PyRuntimeError::new_err(format!(
                "{what} was called within a step of the same optimizer, by its closure or objective; call it before or after \
                 the step"
            )));
        }
        let store = self.store.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner);
        *lock(&self.holder) = Some(own);
        Ok(Turn { store, turns: self })
    }

    pub(super) fn steps(&self) -> u64 {
        self.steps.load(Ordering::Acquire)
    }
}

/// A turn, which lasts until it is dropped.
pub(super) struct Turn<'a> {
    store: MutexGuard<'a, Box<dyn Store>>,
    turns: &'a Turns,
}

impl Turn<'_> {
    pub(super) fn store(&mut self) -> &mut dyn Store {
        &mut **self.store
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.turns.steps.store(self.store.steps(), Ordering::Release);
        *lock(&self.turns.holder) = None;
    }
}

/// A lock that is never held while Python runs, so that nobody waits for it.
pub(super) fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}
