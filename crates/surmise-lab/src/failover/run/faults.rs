use surmise_time::{BootClock, MonotonicClock as _};

use super::Run;
use crate::failover::{
    error::FailoverError,
    faults::{Place, Target},
    history::{Note, Who},
    member::Member,
    message::Party,
    plan::Step,
    wire::ToProcess,
};

/// What is done to the processes.
impl Run<'_> {
    pub(super) fn apply(&mut self, step: &Step) -> Result<(), FailoverError> {
        match step {
            Step::Pause { target, number } => {
                let met = self.meet(*target, |member| !member.process.is_stopped())?;
                let Some((node, member)) = met else { return self.miss("pause", *target) };
                member.process.stop()?;
                let incarnation = member.incarnation;
                self.met.insert(*number, (node, incarnation));
                self.note(Who::Director, Note::Paused { node })?;
            }
            Step::Resume { number } => {
                let Some((node, incarnation)) = self.met.remove(number) else { return Ok(()) };
                let member = self.members.get_mut(&Party::Node(node));
                // Unless it was killed meanwhile.
                if let Some(member) = member.filter(|member| member.incarnation == incarnation) {
                    let resumed = BootClock.now().as_nanos();
                    member.process.resume()?;
                    self.note_at(resumed, Who::Director, Note::Resumed { node })?;
                }
            }
            Step::Kill { target, number } => {
                let Some((node, member)) = self.meet(*target, |_| true)? else {
                    return self.miss("kill", *target);
                };
                let incarnation = member.incarnation;
                self.met.insert(*number, (node, incarnation));
                let killed = BootClock.now().as_nanos();
                self.members.remove(&Party::Node(node));
                self.note_at(killed, Who::Director, Note::Killed { node })?;
            }
            Step::Restart { number } => self.restart(*number)?,
            Step::Cut(sides) => {
                let cut = BootClock.now().as_nanos();
                self.cut(sides)?;
                self.note_at(cut, Who::Director, Note::Cut { sides: sides.clone() })?;
            }
            Step::Heal => {
                // Before the first that hears of it trusts another again.
                let healed = BootClock.now().as_nanos();
                self.cut(&[])?;
                self.note_at(healed, Who::Director, Note::Healed)?;
            }
            Step::Skew { node, by_ns } => {
                let skew_ns = self.skews.entry(*node).or_default();
                *skew_ns = skew_ns.saturating_add(*by_ns);
                if let Some(member) = self.members.get(&Party::Node(*node)) {
                    member.process.tell(&ToProcess::Skew { by_ns: *by_ns })?;
                }
                self.note(Who::Director, Note::Skewed { node: *node, by_ns: *by_ns })?;
            }
        }
        Ok(())
    }

    fn restart(&mut self, number: usize) -> Result<(), FailoverError> {
        let Some((node, _)) = self.met.remove(&number) else { return Ok(()) };
        let party = Party::Node(node);
        self.lives += 1;
        self.start_process(party, self.lives)?;
        self.wait_until_ready(party)?;
        let restarted = BootClock.now().as_nanos();
        self.tell_addresses()?;
        self.note_at(restarted, Who::Director, Note::Restarted { node })
    }

    /// Lets sides not reach each other, those that are there and those that come later.
    fn cut(&self, sides: &[Vec<Place>]) -> Result<(), FailoverError> {
        self.host.cut(sides);
        self.tell_all(|| ToProcess::Sides(sides.to_vec()))
    }

    /// Returns the process that a fault is for, if it is there, and `is_met`. If nobody leads, waits until somebody does, and
    /// all that is planned comes as much later.
    fn meet(
        &mut self,
        target: Target,
        is_met: impl Fn(&Member) -> bool,
    ) -> Result<Option<(usize, &mut Member)>, FailoverError> {
        let due = BootClock.now();
        let give_up = due + self.script.setup.timing.detection * WAIT_FOR_LEADER;
        let node = loop {
            match (target, self.leader) {
                (Target::Node(node), _) | (Target::Leader, Some(node)) => break Some(node),
                (Target::Leader, None) if BootClock.now() >= give_up => break None,
                (Target::Leader, None) => self.hear_until(give_up)?,
            }
        };
        self.late += BootClock.now() - due;
        let Some(node) = node else { return Ok(None) };
        let member = self.members.get_mut(&Party::Node(node)).filter(|member| is_met(member));
        Ok(member.map(|member| (node, member)))
    }

    /// Notes that a fault met nobody.
    fn miss(&mut self, fault: &str, target: Target) -> Result<(), FailoverError> {
        let node = match target {
            Target::Node(node) => Some(node),
            Target::Leader => self.leader,
        };
        self.note(Who::Director, Note::Missed { fault: fault.to_owned(), node })
    }
}

/// For how many detection times a fault that is for the leader waits for one.
const WAIT_FOR_LEADER: u32 = 20;
