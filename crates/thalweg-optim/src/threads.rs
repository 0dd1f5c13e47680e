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
            Some(pool) if parts.len() > 1 => {
                let mut jobs: Vec<_> = parts.iter_mut().map(|part| || work(part)).collect();
                let mut jobs: Vec<Job<'_>> = jobs.iter_mut().map(|job| job as Job<'_>).collect();
                spread(pool, &mut jobs);
            }
            _ => parts.iter_mut().for_each(work),
        }
    }
}

/// Of any type: else every rule would compile the pool's machinery anew, which took a third of the crate's build.
type Job<'a> = &'a mut (dyn FnMut() + Send);

fn spread(pool: &ThreadPool, jobs: &mut [Job<'_>]) {
    pool.install(|| halve(jobs));
}

fn halve(jobs: &mut [Job<'_>]) {
    match jobs {
        [] => {}
        [job] => job(),
        _ => {
            let (left, right) = jobs.split_at_mut(jobs.len() / 2);
            rayon::join(|| halve(left), || halve(right));
        }
    }
}
