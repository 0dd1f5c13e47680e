//! Random streams with an address: every draw is keyed by (seed, purpose, index), so that equal keys give equal
//! bits whatever the order, thread or process they are drawn in.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// A counter-based generator (ChaCha with 8 rounds) positioned at the start of one stream.
///
/// It implements [`rand::RngCore`], so every distribution and shuffle of `rand` works on it.
pub type Stream = ChaCha8Rng;

/// The stream for `(seed, purpose, index)`.
///
/// `purpose` names what is drawn (`"init"`, `"shuffle"`, `"k-fold"`): two purposes never share bits. `index` counts
/// within it (an epoch, a layer, a repeat).
///
/// ```
/// use rand::Rng;
/// use thalweg_optim::random::stream;
/// let first: u64 = stream(7, "shuffle", 3).random();
/// assert_eq!(first, stream(7, "shuffle", 3).random::<u64>());
/// assert_ne!(first, stream(7, "shuffle", 4).random::<u64>());
/// assert_ne!(first, stream(7, "init", 3).random::<u64>());
/// ```
pub fn stream(seed: u64, purpose: &str, index: u64) -> Stream {
    let mut key = [0_u8; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(&spread(purpose.as_bytes()).to_le_bytes());
    let mut rng = ChaCha8Rng::from_seed(key);
    rng.set_stream(index);
    rng
}

/// A number for a name, by FNV-1a, 64 bits (Fowler, Noll, Vo): spreads the few purposes over the key; not used against an
/// adversary.
pub(crate) fn spread(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
