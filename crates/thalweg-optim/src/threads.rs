//! Threads that share a step's pass over memory.

use std::sync::{Arc, Mutex};

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
    /// `count` threads, of which whoever calls [`Threads::run`] is one; 0 and 1 mean that one alone.
    ///
    /// # Errors
    /// If the system does not give that many.
    pub fn new(count: usize) -> std::io::Result<Self> {
        if count <= 1 {
            return Ok(Self::default());
        }
        // The caller works, too: else it would have to be woken after each step's every part.
        let pool = rayon::ThreadPoolBuilder::new().num_threads(count - 1).build();
        Ok(Self { pool: Some(Arc::new(pool.map_err(std::io::Error::other)?)) })
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.pool.as_ref().map_or(1, |pool| pool.current_num_threads() + 1)
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

/// Each thread takes the next job until there is none: one that the system holds up keeps no other waiting.
fn spread(pool: &ThreadPool, jobs: &mut [Job<'_>]) {
    let helpers = pool.current_num_threads().min(jobs.len() - 1);
    let queue = Mutex::new(jobs.iter_mut());
    let next = || queue.lock().expect("no job runs while the queue is locked").next();
    let work = || {
        while let Some(job) = next() {
            job();
        }
    };
    pool.in_place_scope(|scope| {
        for _ in 0..helpers {
            scope.spawn(|_| work());
        }
        work();
    });
}
