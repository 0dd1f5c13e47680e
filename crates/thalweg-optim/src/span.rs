//! The memory that one step works on.

/// The gradient of a span.
#[derive(Debug)]
pub enum Grad<'a, T> {
    /// Is read.
    Read(&'a [T]),
    /// Is read, and set to zero in the same pass over memory: ready to be added to by the next backward pass.
    Clear(&'a mut [T]),
}

impl<T> Grad<'_, T> {
    /// The gradient.
    #[inline]
    pub fn values(&self) -> &[T] {
        match self {
            Self::Read(values) => values,
            Self::Clear(values) => values,
        }
    }
}

/// A stretch of parameters with its gradient: one array of a NumPy or PyTorch user, or the whole flat W.
#[derive(Debug)]
pub struct Span<'a, T> {
    /// The parameters, changed in place.
    pub w: &'a mut [T],
    /// As long as `w`.
    pub grad: Grad<'a, T>,
    /// A running average of the parameters, moved towards them in the same pass; as long as `w`.
    pub average: Option<&'a mut [T]>,
}

impl<'a, T> Span<'a, T> {
    /// A stretch whose gradient is only read.
    pub fn new(w: &'a mut [T], grad: &'a [T]) -> Self {
        Self { w, grad: Grad::Read(grad), average: None }
    }

    /// A stretch whose gradient is set to zero once it is read.
    pub fn clearing(w: &'a mut [T], grad: &'a mut [T]) -> Self {
        Self { w, grad: Grad::Clear(grad), average: None }
    }

    /// The number of parameters.
    pub fn len(&self) -> usize {
        self.w.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.w.is_empty()
    }

    /// Sets the gradient to zero, if that was wished.
    pub(crate) fn clear(&mut self)
    where
        T: Default + Clone,
    {
        if let Grad::Clear(grad) = &mut self.grad {
            grad.fill(T::default());
        }
    }

    /// The same memory, lent for less long.
    pub fn reborrow(&mut self) -> Span<'_, T> {
        let grad = match &mut self.grad {
            Grad::Read(values) => Grad::Read(values),
            Grad::Clear(values) => Grad::Clear(values),
        };
        Span { w: self.w, grad, average: self.average.as_deref_mut() }
    }

    /// The first `n` parameters; the rest stays here.
    pub(crate) fn take_front(&mut self, n: usize) -> Span<'a, T> {
        Span {
            w: self.w.split_off_mut(..n).unwrap_or_default(),
            grad: match &mut self.grad {
                Grad::Read(values) => Grad::Read(values.split_off(..n).unwrap_or_default()),
                Grad::Clear(values) => Grad::Clear(values.split_off_mut(..n).unwrap_or_default()),
            },
            average: self.average.as_mut().and_then(|average| average.split_off_mut(..n)),
        }
    }

    /// # Panics
    /// If the gradient or the average is not as long as the parameters.
    pub(crate) fn check(&self) {
        let n = self.w.len();
        assert_eq!(self.grad.values().len(), n, "the gradient is not as long as the parameters");
        let average = self.average.as_ref().map_or(n, |average| average.len());
        assert_eq!(average, n, "the average is not as long as the parameters");
    }
}

/// A vector of the same memory for other lifetimes: what is built anew each step needs no new allocation.
pub(crate) fn recycle<A, B>(mut spent: Vec<A>) -> Vec<B> {
    spent.clear();
    // The standard library collects in place where A and B have one size, as they do where only lifetimes differ.
    spent.into_iter().map(|_| unreachable!("it was cleared")).collect()
}
