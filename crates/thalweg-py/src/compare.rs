//! A study from Python: the very same that the command runs.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use numpy::PyReadonlyArray2;
use pyo3::exceptions::{PyOSError, PyRuntimeError, PyUserWarning};
use pyo3::prelude::*;
use thalweg::command::{Failure, Options};
use thalweg::data::{Dataset, open};
use thalweg::report::{Format, grid::Grid, html, json, replace, text};
use thalweg::store::Store;
use thalweg::study::{Event, Plan, StudySpec, Summary, TrialRecord, run};

use crate::data::{Cells, dataset};
use crate::words::{failure, usage};

/// How often Python is asked whether Ctrl-C was pressed.
const LISTEN: Duration = Duration::from_millis(50);

/// The names of all settings of the command.
#[pyfunction]
pub(crate) fn settings() -> Vec<&'static str> {
    Options::KEYS.to_vec()
}

/// A study on a built-in data set or a file. `settings` is a JSON object with the command's keys.
#[pyfunction]
pub(crate) fn compare_named(py: Python<'_>, settings: &str, out: Option<PathBuf>) -> PyResult<Comparison> {
    let options = Options::from_json(settings).map_err(failure)?;
    let spec = options.spec().map_err(failure)?;
    let data = py.detach(|| open(&spec.data, &spec.dataset)).map_err(failure)?;
    study(py, &options, spec, &data, out.as_deref(), None)
}

/// A study on arrays. `more` are columns beside those of `x`, and `call` is what to run to do it again.
#[pyfunction]
#[pyo3(signature = (x, names, more, settings, out, call))]
pub(crate) fn compare_arrays(
    py: Python<'_>,
    x: PyReadonlyArray2<'_, f64>,
    names: Vec<String>,
    more: Vec<(String, Cells)>,
    settings: &str,
    out: Option<PathBuf>,
    call: String,
) -> PyResult<Comparison> {
    let options = Options::from_json(settings).map_err(failure)?;
    let spec = options.spec().map_err(failure)?;
    let data = dataset(&spec.data, &x, names, more, &spec.dataset)?;
    study(py, &options, spec, &data, out.as_deref(), Some(call))
}

fn study(
    py: Python<'_>,
    options: &Options,
    spec: StudySpec,
    data: &Dataset,
    out: Option<&Path>,
    call: Option<String>,
) -> PyResult<Comparison> {
    let plan = py.detach(|| Plan::new(spec, data)).map_err(failure)?;
    for warning in &data.warnings {
        let warning = std::ffi::CString::new(crate::words::in_python(warning))?;
        PyErr::warn(py, &py.get_type::<PyUserWarning>(), &warning, 2)?;
    }
    let jobs = options.jobs().map_err(failure)?;
    let store = out.map(Store::open).transpose().map_err(failure)?;
    let done = store.as_ref().map_or_else(|| Ok(HashMap::new()), Store::trials).map_err(failure)?;
    let (store, records) = py.detach(|| watched(&plan, &done, jobs, store))?;
    let mut study = plan.record();
    if let Some(call) = call {
        study.protocol.command = call;
    }
    if let Some(mut store) = store {
        store.finish(&study, &records).map_err(failure)?;
    }
    Ok(Comparison { summary: Summary::new(&study, &records), records })
}

/// Runs on threads of its own, while this one, Python's, listens for Ctrl-C.
fn watched(
    plan: &Plan<'_>,
    done: &HashMap<String, TrialRecord>,
    jobs: usize,
    store: Option<Store>,
) -> PyResult<(Option<Store>, Vec<TrialRecord>)> {
    let stop = &AtomicBool::new(false);
    let (sender, receiver) = channel();
    let mut raised = None;
    let outcome = std::thread::scope(|scope| {
        scope.spawn(move || {
            let records = run(plan, done, jobs, stop, &mut |event| match (event, &store) {
                (Event::Finished(record), Some(store)) => store.add(record).map_err(Failure::from),
                _ => Ok(()),
            });
            // Nobody listens only if the listener panicked.
            let _ = sender.send((store, records));
        });
        loop {
            match receiver.recv_timeout(LISTEN) {
                Ok(outcome) => return Some(outcome),
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => {
                    if let Err(error) = Python::attach(|py| py.check_signals()) {
                        stop.store(true, Ordering::Relaxed);
                        raised.get_or_insert(error);
                    }
                }
            }
        }
    });
    if let Some(error) = raised {
        return Err(error);
    }
    let interrupted = || PyRuntimeError::new_err("the study ended before its last trial");
    let (store, records) = outcome.ok_or_else(interrupted)?;
    Ok((store, records.map_err(failure)?.ok_or_else(interrupted)?))
}

/// What a study found: `print` it, read its `summary`, or write its `report`.
#[pyclass(frozen, module = "thalweg")]
pub(crate) struct Comparison {
    summary: Summary,
    records: Vec<TrialRecord>,
}

#[pymethods]
impl Comparison {
    /// All results as one dict: the same as the command's `--format json`.
    #[getter]
    fn summary<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        py.import("json")?.call_method1("loads", (json::render(&self.summary),))
    }

    /// The methods, best first, each a dict.
    #[getter]
    fn ranking<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.summary(py)?.get_item("ranking")
    }

    /// The name of the method with the best mean score; None if no method finished every fold.
    #[getter]
    fn best(&self) -> Option<&str> {
        self.summary.verdict.best.as_deref()
    }

    /// The verdict in words, a line per sentence, cautions last.
    #[getter]
    fn verdict(&self) -> String {
        let verdict = &self.summary.verdict;
        let lines: Vec<&str> =
            verdict.sentences.iter().chain(&verdict.cautions).map(String::as_str).collect();
        lines.join("\n")
    }

    /// Writes the report, one HTML page that opens offline, to `path`.
    fn report(&self, path: PathBuf) -> PyResult<()> {
        let page = html::render(&self.summary, &self.records).map_err(usage)?;
        replace(&path, &page).map_err(|cause| {
            PyOSError::new_err(format!("{}: the report cannot be written: {cause}", path.display()))
        })
    }

    fn __repr__(&self) -> String {
        text::render(&self.summary, Format::Table)
    }

    fn _repr_html_(&self) -> String {
        let verdict: Vec<String> =
            self.verdict().lines().map(|line| format!("<li>{}</li>", escaped(line))).collect();
        format!("{}<ul>{}</ul>", table(&text::ranking(&self.summary)), verdict.concat())
    }
}

fn table(grid: &Grid) -> String {
    let row = |tag: &str, cells: &mut dyn Iterator<Item = &String>| {
        let cells: Vec<String> = cells.map(|cell| format!("<{tag}>{}</{tag}>", escaped(cell))).collect();
        format!("<tr>{}</tr>", cells.concat())
    };
    let head = row("th", &mut grid.columns.iter().map(|(_, heading, _)| heading));
    let body: Vec<String> = grid.rows.iter().map(|cells| row("td", &mut cells.iter())).collect();
    format!("<table><thead>{head}</thead><tbody>{}</tbody></table>", body.concat())
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
