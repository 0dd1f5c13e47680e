//! An optimizer of groups, each moved by one of its own.

use super::assign::{Share, assign};
use crate::half::HalfPart;
use crate::hyper::{Dialect, OptimError};
use crate::optimizer::{Factors, Optimizer, Outcome, Scratch};
use crate::params::Layout;
use crate::real::Real;
use crate::riders::Riders;
use crate::span::{Span, recycle};
use crate::spec::OptimizerSpec;
use crate::state::StateDict;
use crate::suggest::did_you_mean;
use crate::threads::Threads;
use crate::wrap::{self, WRAPPERS, follow, tower};

/// See the [module](super).
///
/// What rides from outside is looked at once: a clip is of the norm over all groups. A wrapper inside of a group sees its
/// blocks alone. In a saved state each entry is behind `group0/`, `group1/`, …, counted as blocks first meet them.
pub struct Groups<T: Real> {
    name: &'static str,
    dialect: Dialect,
    layout: Layout,
    steps: u64,
    members: Vec<Member<T>>,
    /// The member of each block, and where the block starts among the member's numbers.
    member_of: Vec<(usize, usize)>,
    threads: Threads,
    scratch: Scratch<T>,
    /// Empty between steps.
    spans: Vec<Span<'static, T>>,
}

/// The blocks that one optimizer moves.
struct Member<T: Real> {
    optimizer: Box<dyn Optimizer<T>>,
    share: Share,
    /// Its blocks' numbers, one behind the other.
    gathered: Vec<T>,
    point: Vec<T>,
    /// Whether the last step moved it.
    moved: bool,
}

impl<T: Real> Groups<T> {
    /// The optimizer that a recipe's groups and presets ask for, without the recipe's wrappers.
    pub(crate) fn new(spec: &OptimizerSpec, layout: &Layout) -> Result<Self, OptimError> {
        let everything = [super::GroupSpec::rest()];
        let groups = if spec.groups.is_empty() { &everything[..] } else { &spec.groups };
        let shares = assign::<T>(layout, groups, &spec.presets)?;
        let mut distinct: Vec<(Share, Layout)> = Vec::new();
        let mut member_of = Vec::new();
        for (share, block) in shares.iter().zip(layout.blocks()) {
            let known = distinct.iter().position(|(other, _)| other == share);
            let member = known.unwrap_or(distinct.len());
            if known.is_none() {
                distinct.push((*share, layout.emptied()));
            }
            let own = &mut distinct[member].1;
            member_of.push((member, own.len()));
            own.push_like(block);
        }
        let members = distinct.into_iter().map(|(share, own)| {
            let optimizer = member_spec(spec, groups[share.group].optimizer.as_deref(), share.decay)?.build(&own)?;
            if optimizer.drives() {
                return Err(OptimError::Groups {
                    what: format!(
                        "{} asks the objective itself, for all parameters together, so it cannot move one group; \
                         use it without groups, or put sam and asam around all of them",
                        tower(&*optimizer)
                    ),
                });
            }
            Ok(Member { optimizer, share, gathered: Vec::new(), point: Vec::new(), moved: false })
        });
        Ok(Self {
            name: crate::registry::find(&spec.name)?.info.name,
            dialect: spec.dialect,
            layout: layout.clone(),
            steps: 0,
            members: members.collect::<Result<_, _>>()?,
            member_of,
            threads: Threads::default(),
            scratch: Scratch::default(),
            spans: Vec::new(),
        })
    }

    /// Copies each member's blocks out of `w`.
    fn gather(&mut self, w: &[T]) {
        self.members.iter_mut().for_each(|member| member.gathered.clear());
        for (block, &(member, _)) in self.layout.blocks().iter().zip(&self.member_of) {
            self.members[member].gathered.extend_from_slice(&w[block.range.clone()]);
        }
    }

    /// Where each member's own point says another than W, writes it; whether any did.
    fn points(
        &mut self,
        w: &[T],
        point: &mut Vec<T>,
        ask: impl Fn(&mut dyn Optimizer<T>, Share, &[T], &mut Vec<T>) -> bool,
    ) -> bool {
        self.gather(w);
        let mut any = false;
        for Member { optimizer, share, gathered, point, .. } in &mut self.members {
            if ask(&mut **optimizer, *share, gathered, point) {
                any = true;
            } else {
                point.clear();
                point.extend_from_slice(gathered);
            }
            // From here on, what is left to be written back.
            std::mem::swap(gathered, point);
        }
        if any {
            point.clear();
            for (block, &(member, start)) in self.layout.blocks().iter().zip(&self.member_of) {
                point.extend_from_slice(&self.members[member].gathered[start..start + block.range.len()]);
            }
        }
        any
    }
}

impl<T: Real> Groups<T> {
    /// An average from outside counts this step for all parameters, also those of a group that only collected or was
    /// guarded from its gradient.
    fn follow_idle(&self, spans: &mut [Span<'_, T>], weight: f64) {
        if self.members.iter().all(|member| member.moved) {
            return;
        }
        let whole = spans.len() == 1;
        for (index, (block, &(member, _))) in self.layout.blocks().iter().zip(&self.member_of).enumerate() {
            let range = if whole { block.range.clone() } else { 0..block.range.len() };
            let Span { w, average: Some(average), .. } = &mut spans[if whole { 0 } else { index }] else {
                continue;
            };
            if !self.members[member].moved {
                follow(&mut average[range.clone()], &w[range], weight, &self.threads);
            }
        }
    }
}

/// The recipe of one member, with its decays multiplied.
fn member_spec(
    spec: &OptimizerSpec,
    own: Option<&OptimizerSpec>,
    decay: f64,
) -> Result<OptimizerSpec, OptimError> {
    let inherited =
        OptimizerSpec { wrap: Vec::new(), groups: Vec::new(), presets: Vec::new(), ..spec.clone() };
    let mut own = own.cloned().unwrap_or(inherited);
    if decay != 1.0 {
        multiply_decays(&mut own, decay)?;
    }
    Ok(own)
}

/// Multiplies every weight decay in a recipe: the rule's, those of the wrappers around it, and those of rules that groups
/// within it bring. (The factors of such groups are left alone: they multiply what reaches them.)
fn multiply_decays(spec: &mut OptimizerSpec, factor: f64) -> Result<(), OptimError> {
    for (name, value) in spec.resolved()? {
        if is_decay(name) {
            spec.hyper.insert(name.to_owned(), value * factor);
        }
    }
    for wrapper in &mut spec.wrap {
        let entry = wrap::find(&wrapper.name)?;
        if let Some(row) = (entry.settings)().first().filter(|_| entry.decays) {
            let value = wrapper.settings.get(row.key).copied().unwrap_or(row.default);
            wrapper.settings.insert(row.key.to_owned(), value * factor);
        }
    }
    let mut inner = spec.groups.iter_mut().filter_map(|group| group.optimizer.as_deref_mut());
    inner.try_for_each(|inner| multiply_decays(inner, factor))
}

/// Whether a hyperparameter of a rule or of a wrapper is a weight decay.
fn is_decay(name: &str) -> bool {
    let mut wrappers = WRAPPERS.iter().filter(|entry| entry.decays);
    name.ends_with("weight_decay")
        || wrappers.any(|entry| (entry.settings)().first().is_some_and(|row| row.name == name))
}

/// What a step is given: one for all parameters, or one per block.
trait Cut {
    /// The first `n` parameters; the rest stays here.
    fn cut(&mut self, n: usize) -> Self;
}

impl<T> Cut for Span<'_, T> {
    fn cut(&mut self, n: usize) -> Self {
        self.take_front(n)
    }
}

impl Cut for HalfPart<'_> {
    fn cut(&mut self, n: usize) -> Self {
        self.take_front(n)
    }
}

/// Adds those of the blocks that are `own`, by their number.
fn deal<P: Cut>(
    mut given: impl ExactSizeIterator<Item = P>,
    layout: &Layout,
    own: impl Fn(usize) -> bool,
    list: &mut Vec<P>,
) {
    if given.len() > 1 {
        list.extend(given.enumerate().filter(|(block, _)| own(*block)).map(|(_, part)| part));
        return;
    }
    let Some(mut whole) = given.next() else { return };
    for (number, block) in layout.blocks().iter().enumerate() {
        let part = whole.cut(block.range.len());
        if own(number) {
            list.push(part);
        }
    }
}

/// What became of a step that several members share.
struct Count {
    moved: bool,
    outcome: Outcome,
}

impl Count {
    fn new(nobody: bool, outcome: Outcome) -> Self {
        let outcome = if nobody { outcome } else { Outcome { skipped: true, collected: true, ..outcome } };
        Self { moved: nobody, outcome }
    }

    /// One member's step: it is given the factor of its learning rate and its riders.
    fn step<T: Real>(
        &mut self,
        member: &mut Member<T>,
        riders: Riders,
        step: impl FnOnce(&mut dyn Optimizer<T>, f64, Riders) -> Outcome,
    ) {
        let Share { learning_rate: factor, decay, .. } = member.share;
        let riders = Riders {
            penalties: riders.penalties.times(decay),
            weight_penalties: riders.weight_penalties.times(decay),
            ..riders
        };
        let before = member.optimizer.steps();
        let found = step(&mut *member.optimizer, factor, riders);
        member.moved = member.optimizer.steps() != before;
        self.moved |= member.moved;
        self.outcome.skipped &= found.skipped;
        self.outcome.collected &= found.collected;
        self.outcome.stuck |= found.stuck;
    }
}

impl<T: Real> Optimizer<T> for Groups<T> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn steps(&self) -> u64 {
        self.steps
    }

    fn apply(&mut self, spans: &mut [Span<'_, T>], learning_rate: f64, riders: Riders) -> Outcome {
        let (riders, outcome) = riders.look(spans, &self.threads);
        let Some(riders) = riders else { return outcome };
        let mut count = Count::new(self.members.is_empty(), outcome);
        for (index, member) in self.members.iter_mut().enumerate() {
            let mut list: Vec<Span<'_, T>> = recycle(std::mem::take(&mut self.spans));
            let own = |block: usize| self.member_of[block].0 == index;
            deal(spans.iter_mut().map(Span::reborrow), &self.layout, own, &mut list);
            count.step(member, riders, |optimizer, factor, riders| {
                optimizer.apply(&mut list, learning_rate * factor, riders)
            });
            self.spans = recycle(list);
        }
        self.steps += u64::from(count.moved);
        if count.moved {
            self.follow_idle(spans, riders.average_weight);
        }
        count.outcome
    }

    fn takes_halves(&self) -> bool {
        self.members.iter().all(|member| member.optimizer.takes_halves())
    }

    fn apply_half(&mut self, parts: &mut [HalfPart<'_>], learning_rate: f64, riders: Riders) -> Outcome {
        let (riders, outcome) = riders.look_at_halves(parts, &self.threads);
        let Some(riders) = riders else { return outcome };
        let mut count = Count::new(self.members.is_empty(), outcome);
        for (index, member) in self.members.iter_mut().enumerate() {
            let mut list = Vec::new();
            let own = |block: usize| self.member_of[block].0 == index;
            deal(parts.iter_mut().map(HalfPart::reborrow), &self.layout, own, &mut list);
            count.step(member, riders, |optimizer, factor, riders| {
                optimizer.apply_half(&mut list, learning_rate * factor, riders)
            });
        }
        self.steps += u64::from(count.moved);
        count.outcome
    }

    fn save(&self) -> StateDict {
        let mut state = StateDict::of(self.name, self.dialect);
        state.insert_count("steps", self.steps);
        for (index, member) in self.members.iter().enumerate() {
            state.insert_all(&format!("group{index}"), member.optimizer.save());
        }
        state
    }

    fn restore(&mut self, state: &StateDict) {
        self.steps = state.count("steps");
        for (index, member) in self.members.iter_mut().enumerate() {
            member.optimizer.restore(&state.part(&format!("group{index}")));
        }
    }

    /// Each name once, with the value of the first group that has it, before its decay is multiplied. A decay that a group
    /// switches off is told by another, if one has it.
    fn hyper(&self) -> Vec<(&'static str, f64)> {
        let mut all: Vec<(&'static str, f64, bool)> = Vec::new();
        for member in &self.members {
            for (name, value) in member.optimizer.hyper() {
                let factor = if is_decay(name) { member.share.decay } else { 1.0 };
                let told = factor != 0.0;
                let value = if told { value / factor } else { value };
                match all.iter_mut().find(|(known, ..)| *known == name) {
                    None => all.push((name, value, told)),
                    Some(known) if told && !known.2 => *known = (name, value, told),
                    Some(_) => {}
                }
            }
        }
        all.into_iter().map(|(name, value, _)| (name, value)).collect()
    }

    /// In every group that knows the name; a decay is multiplied by the group's factor, and must be in range without it, too.
    fn set_hyper(&mut self, name: &str, value: f64) -> Result<(), OptimError> {
        let knows =
            |member: &Member<T>| member.optimizer.hyper().into_iter().find(|(known, _)| *known == name);
        let before: Vec<_> =
            self.members.iter().map(|member| knows(member).map(|(_, value)| value)).collect();
        if before.iter().all(Option::is_none) {
            let known: Vec<_> = self.hyper().into_iter().map(|(name, _)| name).collect();
            return Err(OptimError::UnknownHyper {
                optimizer: self.name,
                name: name.to_owned(),
                suggestion: did_you_mean(name, known.iter().copied()),
                known: known.join(", "),
            });
        }
        for index in 0..self.members.len() {
            if before[index].is_none() {
                continue;
            }
            let member = &mut self.members[index];
            let factor = if is_decay(name) { member.share.decay } else { 1.0 };
            // The value itself first: a factor of 0 would make any value one that is in range.
            let set = member.optimizer.set_hyper(name, value);
            if let Err(error) = set.and_then(|()| member.optimizer.set_hyper(name, value * factor)) {
                for (member, before) in self.members[..=index].iter_mut().zip(&before) {
                    if let Some(before) = before {
                        member.optimizer.set_hyper(name, *before)?;
                    }
                }
                return Err(error);
            }
        }
        Ok(())
    }

    /// The largest of any group, times those of groups within it.
    fn largest_factors(&self) -> Factors {
        let zero = Factors { learning_rate: 0.0, decay: 0.0 };
        self.members.iter().fold(zero, |most, member| {
            let (share, inner) = (member.share, member.optimizer.largest_factors());
            Factors {
                learning_rate: most.learning_rate.max(share.learning_rate * inner.learning_rate),
                decay: most.decay.max(share.decay * inner.decay),
            }
        })
    }

    fn scratch(&mut self) -> &mut Scratch<T> {
        &mut self.scratch
    }

    fn needs_objective(&self) -> bool {
        self.members.iter().any(|member| member.optimizer.needs_objective())
    }

    fn probe(&mut self, w: &[T], learning_rate: f64, point: &mut Vec<T>) -> bool {
        if !self.needs_objective() {
            return false;
        }
        self.points(w, point, |optimizer, share, w, point| {
            optimizer.probe(w, learning_rate * share.learning_rate, point)
        })
    }

    fn average(&mut self, w: &[T], point: &mut Vec<T>) -> bool {
        self.points(w, point, |optimizer, _, w, point| optimizer.average(w, point))
    }

    fn set_threads(&mut self, threads: &Threads) {
        self.threads = threads.clone();
        self.members.iter_mut().for_each(|member| member.optimizer.set_threads(threads));
    }
}
