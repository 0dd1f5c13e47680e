//! The memory of PyTorch's tensors by its address: to make a NumPy array of each takes longer than a small step.
//!
//! An address keeps no memory alive. So the addresses are taken, and used, while Python stands still: from the first to the
//! end of the step nothing runs that could release the interpreter. What asks PyTorch's dispatcher, which releases it, or
//! makes Python objects that the garbage collector sees, comes before, in [`Direct::look`]. Large steps let Python run
//! meanwhile, and take the way of the arrays, as whatever is unusual does.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyType};

use crate::flat::Cell;

/// More numbers than a step of a millisecond or so has.
const MOST: usize = 1 << 20;

/// What is asked of PyTorch for every step.
pub(super) struct Direct {
    torch: Py<PyAny>,
    tensor: Py<PyType>,
    parameter: Py<PyType>,
    /// Says that a tensor was changed in place; PyTorch before 2.2 has no word for it.
    increment: Option<Py<PyAny>>,
    changed: Py<PyList>,
}

impl Direct {
    /// For these tensors, which are all or some of the parameters.
    pub(super) fn new(py: Python<'_>, tensors: &[Bound<'_, PyAny>]) -> PyResult<Self> {
        let torch = py.import("torch")?;
        let graph = torch.getattr("autograd")?.getattr("graph")?;
        Ok(Self {
            tensor: torch.getattr("Tensor")?.cast_into::<PyType>()?.unbind(),
            parameter: torch.getattr("nn")?.getattr("Parameter")?.cast_into::<PyType>()?.unbind(),
            increment: graph.getattr("increment_version").ok().map(Bound::unbind),
            changed: PyList::new(py, tensors)?.unbind(),
            torch: torch.into_any().unbind(),
        })
    }

    /// Tells PyTorch that its tensors were changed in place, so that a backward pass that needs what was there fails
    /// instead of computing with other numbers.
    pub(super) fn changed(&self, py: Python<'_>) -> PyResult<()> {
        let Some(increment) = &self.increment else { return Ok(()) };
        let changed = self.changed.bind(py);
        // Older ones take one tensor at a time.
        if increment.call1(py, (changed,)).is_err() {
            for tensor in changed {
                increment.call1(py, (tensor,))?;
            }
        }
        Ok(())
    }

    /// Whether nothing is unusual about the tensors, as far as no memory depends on it.
    fn look(&self, py: Python<'_>, owners: &[Py<PyAny>], grads: &[Bound<'_, PyAny>]) -> PyResult<bool> {
        let is_plain = |tensor: &Bound<'_, PyAny>| -> PyResult<bool> {
            let kind = tensor.get_type();
            let is_own = kind.is(&self.tensor) || kind.is(&self.parameter);
            Ok(is_own && !tensor.call_method0(intern!(py, "is_neg"))?.is_truthy()?)
        };
        for (owner, grad) in owners.iter().zip(grads) {
            let owner = owner.bind(py);
            let shape = intern!(py, "shape");
            if !is_plain(owner)? || !is_plain(grad)? || !owner.getattr(shape)?.eq(grad.getattr(shape)?)? {
                return Ok(false);
            }
        }
        // A mode answers in Python what is asked of a tensor.
        let modes = self.torch.bind(py).getattr("_C")?.call_method0("_len_torch_function_stack")?;
        Ok(modes.extract::<usize>()? == 0)
    }

    /// The addresses of the parameters and of their gradients, all of them or none: then the arrays tell why.
    pub(super) fn addresses<T: Cell, G: Cell>(
        &self,
        py: Python<'_>,
        owners: &[Py<PyAny>],
        lens: &[usize],
        grads: &[Bound<'_, PyAny>],
    ) -> Option<(Vec<usize>, Vec<usize>)> {
        if lens.iter().sum::<usize>() > MOST || !self.look(py, owners, grads).ok()? {
            return None;
        }
        let dtype = |name| self.torch.bind(py).getattr(name).ok();
        let (own, other) = (dtype(T::TORCH)?, dtype(G::TORCH)?);
        let params = owners.iter().zip(lens).map(|(owner, &len)| address::<T>(owner.bind(py), &own, len));
        let params = params.collect::<Option<Vec<_>>>()?;
        let grads = grads.iter().zip(lens).map(|(grad, &len)| address::<G>(grad, &other, len));
        Some((params, grads.collect::<Option<Vec<_>>>()?))
    }
}

/// Where a tensor's `len` numbers lie, one behind the other, if they are of that type and on the CPU.
fn address<T: Cell>(tensor: &Bound<'_, PyAny>, dtype: &Bound<'_, PyAny>, len: usize) -> Option<usize> {
    let py = tensor.py();
    let is_fit = tensor.getattr(intern!(py, "dtype")).ok()?.is(dtype)
        && tensor.getattr(intern!(py, "is_cpu")).ok()?.is_truthy().ok()?
        && tensor.call_method0(intern!(py, "is_contiguous")).ok()?.is_truthy().ok()?
        && tensor.call_method0(intern!(py, "numel")).ok()?.extract::<usize>().ok()? == len;
    if !is_fit {
        return None;
    }
    let address: usize = tensor.call_method0(intern!(py, "data_ptr")).ok()?.extract().ok()?;
    if len == 0 {
        return Some(align_of::<T>());
    }
    (address != 0 && address.is_multiple_of(align_of::<T>())).then_some(address)
}
