//! The messages of the command, said to someone who writes keyword arguments.

use pyo3::PyErr;
use pyo3::exceptions::{PyKeyboardInterrupt, PyRuntimeError, PyValueError};
use thalweg::command::{Failure, Options};

/// What a user can mend is a `ValueError`.
pub(crate) fn usage(error: impl ToString) -> PyErr {
    PyValueError::new_err(in_python(&error.to_string()))
}

/// A command's failure as an exception.
pub(crate) fn failure(failure: impl Into<Failure>) -> PyErr {
    match failure.into() {
        Failure::Usage(message) => usage(message),
        Failure::Failed(message) => PyRuntimeError::new_err(in_python(&message)),
        Failure::Interrupted(message) => PyKeyboardInterrupt::new_err(in_python(&message)),
    }
}

/// A message about flags in the words of Python: `--learning-rates` is `learning_rates` here.
pub(crate) fn in_python(message: &str) -> String {
    Options::KEYS.iter().fold(message.to_owned(), |text, key| {
        let flag = format!("--{}", key.replace('_', "-"));
        text.replace(&flag, key)
    })
}
