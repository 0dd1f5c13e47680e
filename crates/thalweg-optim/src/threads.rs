//! Threads that share a step's pass over memory.

use std::sync::Arc;

use rayon::ThreadPool;

/// A set of threads; cheap to clone, and shared by its clones.
///
/// How many there are never changes a bit of a result: elements do not depend on each other, and sums are taken over
/// pieces of a fixed size.
#[derive(Debug, Clone, Default)]
pub struct Threads {
    pool: Option<Arc<ThreadPool>>,
}

impl Threads {
    /// `count` threads; 0 and 1 mean the caller's own.
    ///
    /// # Errors
    /// If the system does not give that many.
    pub fn new(count: usize) -> std::io::Result<Self> {
        if count <= 1 {
            return Ok(Self::default());
        }
        let pool = rayon::ThreadPoolBuilder::new().num_threads(count).build();
        Ok(Self { pool: Some(Arc::new(pool.map_err(std::io::Error::other)?)) })
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.pool.as_ref().map_or(1, |pool| pool.current_num_threads())
    }

    /// Does `work` for each part, the parts on all threads.
    pub fn run<P: Send>(&self, parts: &mut [P], work: impl Fn(&mut P) + Sync + Send) {
        match &self.pool {
            Some(pool) if parts.len() > 1 => pool.install(|| halve(parts, &work)),
            _ => parts.iter_mut().for_each(work),
        }
    }
}

fn halve<P: Send>(parts: &mut [P], work: &(impl Fn(&mut P) + Sync)) {
    match parts {
        [] => {}
        [part] => work(part),
        _ => {
            let (left, right) = parts.split_at_mut(parts.len() / 2);
            rayon::join(|| halve(left, work), || halve(right, work));
        }
    }
}
