//! Threads that share a step's pass over memory.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::kernel::denormal::FlushDenormals;

/// A set of threads; cheap to clone, and shared by its clones.
///
/// How many there are never changes a bit of a result: elements do not depend on each other, and sums are taken over
/// pieces of a fixed size.
#[derive(Debug, Clone, Default)]
pub struct Threads {
    pools: Option<Arc<Pools>>,
}

/// As many threads as asked for, which do nested work while the caller sleeps, and one fewer, which help a caller that takes
/// part.
#[derive(Debug)]
struct Pools {
    all: ThreadPool,
    helpers: ThreadPool,
    /// Which helpers wait for the next call awake.
    awake: Arc<[AtomicBool]>,
}

impl Threads {
    /// `count` threads; 0 and 1 mean the caller's own. The system is asked for 2·count − 1, of which at most `count` work at a
    /// time.
    ///
    /// # Errors
    /// If the system does not give that many.
    pub fn new(count: usize) -> std::io::Result<Self> {
        if count <= 1 {
            return Ok(Self::default());
        }
        let pool = |count| ThreadPoolBuilder::new().num_threads(count).build().map_err(std::io::Error::other);
        let pools = Pools {
            all: pool(count)?,
            helpers: pool(count - 1)?,
            awake: (1..count).map(|_| AtomicBool::new(false)).collect(),
        };
        Ok(Self { pools: Some(Arc::new(pools)) })
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.pools.as_ref().map_or(1, |pools| pools.all.current_num_threads())
    }

    /// Does `work` for each part, the parts on all threads; `work` may call this or [`Threads::share`] again.
    pub fn run<P: Send>(&self, parts: &mut [P], work: impl Fn(&mut P) + Sync + Send) {
        self.each(parts, work, spread);
    }

    /// The same with the caller as one of the threads, which need not be woken at the end, and the others awake for a while: for
    /// short work in each step. While the caller waits it takes no part of another call, so `work` should not call this again.
    pub fn share<P: Send>(&self, parts: &mut [P], work: impl Fn(&mut P) + Sync + Send) {
        // Within work that threads do already, the caller is one of theirs: it should find other work while it waits.
        let is_within = rayon::current_thread_index().is_some();
        self.each(parts, work, if is_within { spread } else { take_turns });
    }

    fn each<P: Send>(
        &self,
        parts: &mut [P],
        work: impl Fn(&mut P) + Sync + Send,
        on_all: fn(&Pools, &mut [Job<'_>]),
    ) {
        match &self.pools {
            Some(pools) if parts.len() > 1 => {
                let mut jobs: Vec<_> = parts.iter_mut().map(|part| || work(part)).collect();
                let mut jobs: Vec<Job<'_>> = jobs.iter_mut().map(|job| job as Job<'_>).collect();
                on_all(pools, &mut jobs);
            }
            _ => parts.iter_mut().for_each(work),
        }
    }
}

/// Of any type: else every rule would compile the pool's machinery anew, which took a third of the crate's build.
type Job<'a> = &'a mut (dyn FnMut() + Send);

/// Every thread computes as the caller does: how many there are would change bits where one flushes denormals.
fn spread(pools: &Pools, jobs: &mut [Job<'_>]) {
    let flushes = FlushDenormals::is_on();
    pools.all.install(|| halve(jobs, flushes));
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

/// How often a thread comes back for more, so that a slow one does not hold up all.
const TURNS: usize = 8;

/// Each thread takes the next jobs until there are none.
fn take_turns(pools: &Pools, jobs: &mut [Job<'_>]) {
    let flushes = FlushDenormals::is_on();
    let helpers = pools.helpers.current_num_threads().min(jobs.len() - 1);
    // A few times each, for all threads ask the same queue.
    let at_once = (jobs.len() / (TURNS * (helpers + 1))).max(1);
    let (queue, left) = (Mutex::new(jobs.chunks_mut(at_once)), AtomicUsize::new(helpers));
    let next = || queue.lock().expect("no job runs while the queue is locked").next();
    let work = || {
        let _as_caller = FlushDenormals::set(flushes);
        while let Some(jobs) = next() {
            jobs.iter_mut().for_each(|job| job());
        }
    };
    pools.helpers.in_place_scope(|scope| {
        for _ in 0..helpers {
            scope.spawn(|_| {
                work();
                left.fetch_sub(1, Ordering::Release);
            });
        }
        work();
        // Who sleeps must be woken, which takes longer than what helpers still have to do.
        wait(|| left.load(Ordering::Acquire) == 0);
    });
    stay_awake(pools);
}

/// Lets the helpers look for the next call for a while: in a training it comes at once, and to wake them takes as long as a
/// step of a small network.
fn stay_awake(pools: &Pools) {
    if pools.awake.iter().all(|awake| awake.load(Ordering::Acquire)) {
        return;
    }
    let awake = Arc::clone(&pools.awake);
    pools.helpers.spawn_broadcast(move |helper| {
        let awake = &awake[helper.index()];
        if !awake.swap(true, Ordering::AcqRel) {
            while wait(|| rayon::yield_now() == Some(rayon::Yield::Executed)) {}
            awake.store(false, Ordering::Release);
        }
    });
}

/// How often it is looked: about a tenth of a millisecond on the CPUs of today.
const LOOKS: usize = 2000;

/// Waits for something that should be soon, and tells whether it came. Now and then who else wants the core may have it.
fn wait(is_there: impl Fn() -> bool) -> bool {
    (0..LOOKS).any(|look| {
        if look % 64 == 63 {
            std::thread::yield_now();
        }
        std::hint::spin_loop();
        is_there()
    })
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
            threads.share(&mut parts, |part| *part += 1);
            parts.iter().sum::<u32>()
        });
        assert_eq!(done, [vec![120; 64], vec![120; 64]]);
    }

    #[test]
    fn a_panic_reaches_the_caller_and_the_threads_go_on() {
        let threads = Threads::new(3).expect("the system gives threads");
        for round in 0..20 {
            let mut parts: Vec<u32> = (0..30).collect();
            let call = || threads.share(&mut parts, |part| assert!(*part != round, "this one"));
            assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(call)).is_err());
            assert_eq!(answers(&threads, || 1), [vec![1; 64], vec![1; 64]]);
        }
    }
}
