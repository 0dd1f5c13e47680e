//! Threads that share a step's pass over memory.

use std::sync::{Arc, Mutex};

use rayon::ThreadPool;

use crate::kernel::denormal::FlushDenormals;

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

    /// Does `work` for each part, the parts on all threads; `work` may call this again.
    pub fn run<P: Send>(&self, parts: &mut [P], work: impl Fn(&mut P) + Sync + Send) {
        self.each(parts, work, spread);
    }

    /// The same with the caller as one of the threads, which need not be woken at the end: for what is done in each step.
    /// While the caller waits it takes no part of another call, so `work` should not call this again.
    pub fn share<P: Send>(&self, parts: &mut [P], work: impl Fn(&mut P) + Sync + Send) {
        self.each(parts, work, take_turns);
    }

    fn each<P: Send>(
        &self,
        parts: &mut [P],
        work: impl Fn(&mut P) + Sync + Send,
        on_all: fn(&ThreadPool, &mut [Job<'_>]),
    ) {
        match &self.pool {
            Some(pool) if parts.len() > 1 => {
                let mut jobs: Vec<_> = parts.iter_mut().map(|part| || work(part)).collect();
                let mut jobs: Vec<Job<'_>> = jobs.iter_mut().map(|job| job as Job<'_>).collect();
                on_all(pool, &mut jobs);
            }
            _ => parts.iter_mut().for_each(work),
        }
    }
}

/// Of any type: else every rule would compile the pool's machinery anew, which took a third of the crate's build.
type Job<'a> = &'a mut (dyn FnMut() + Send);

/// Every thread computes as the caller does: how many there are would change bits where one flushes denormals.
fn spread(pool: &ThreadPool, jobs: &mut [Job<'_>]) {
    let flushes = FlushDenormals::is_on();
    pool.install(|| halve(jobs, flushes));
}

fn halve(jobs: &mut [Job<'_>], flushes: bool) {
    match jobs {
        [] => {}
        [job] => {
            let _as_caller = FlushDenormals::set(flushes);
            job();
        }
        _ => {
            let (left, right) = jobs.split_at_mut(jobs.len() / 2);
            rayon::join(|| halve(left, flushes), || halve(right, flushes));
        }
    }
}

/// Each thread takes the next job until there is none.
fn take_turns(pool: &ThreadPool, jobs: &mut [Job<'_>]) {
    let flushes = FlushDenormals::is_on();
    let helpers = (pool.current_num_threads() - 1).min(jobs.len() - 1);
    let queue = Mutex::new(jobs.iter_mut());
    let next = || queue.lock().expect("no job runs while the queue is locked").next();
    let work = || {
        let _as_caller = FlushDenormals::set(flushes);
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

#[cfg(all(test, any(target_arch = "x86_64", target_arch = "aarch64")))]
mod tests {
    use super::*;

    /// What `work` answers for each of many parts, by either way.
    fn answers<A: Send + Clone + Default>(
        threads: &Threads,
        work: impl Fn() -> A + Sync + Send,
    ) -> [Vec<A>; 2] {
        let (mut ran, mut shared) = (vec![A::default(); 64], vec![A::default(); 64]);
        threads.run(&mut ran, |answer| *answer = work());
        threads.share(&mut shared, |answer| *answer = work());
        [ran, shared]
    }

    #[test]
    fn every_thread_computes_as_the_caller_does() {
        for count in [1, 2, 3] {
            let threads = Threads::new(count).expect("the system gives threads");
            assert_eq!(threads.count(), count);
            for on in [false, true, false] {
                let _mode = FlushDenormals::set(on);
                // Each takes long enough for all threads to have some.
                let work = || {
                    (0..2000).for_each(|_| std::hint::spin_loop());
                    FlushDenormals::is_on() == on
                };
                assert!(answers(&threads, work).iter().flatten().all(|&same| same), "{count}, {on}");
            }
        }
    }

    #[test]
    fn parts_within_parts_are_all_done() {
        let threads = Threads::new(2).expect("the system gives threads");
        let done = answers(&threads, || {
            let mut parts = [1_u32; 40];
            threads.run(&mut parts, |part| *part += 1);
            parts.iter().sum::<u32>()
        });
        assert_eq!(done, [vec![80; 64], vec![80; 64]]);
    }
}
