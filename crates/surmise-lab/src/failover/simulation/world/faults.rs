use core::time::Duration;
use std::collections::VecDeque;

use rand::RngExt as _;

use super::{Process, World};
use crate::failover::{
    faults::Target,
    history::{Note, Who},
    machine::Input,
    node::Node,
    plan::Step,
};

/// What is done to the nodes.
impl World {
    pub(super) fn apply(&mut self, step: Step) {
        match step {
            Step::Pause { target, number } => {
                let Some(node) = self.meet(target).filter(|&node| !self.is_stopped(node)) else {
                    return self.miss("pause", target);
                };
                self.met.insert(number, (node, self.processes[node].incarnation));
                self.processes[node].stopped = Some(VecDeque::new());
                self.note(Who::Director, Note::Paused { node });
            }
            Step::Resume { number } => {
                let Some((node, incarnation)) = self.met.remove(&number) else { return };
                let process = &mut self.processes[node];
                if process.incarnation != incarnation {
                    return;
                }
                let Some(inbox) = process.stopped.take() else { return };
                self.note(Who::Director, Note::Resumed { node });
                // The first thing that a process does may be to look at the time, or at what came.
                if self.rng.random_bool(0.5) {
                    self.step(node, Input::Tick);
                }
                inbox.into_iter().for_each(|input| self.step(node, input));
            }
            Step::Kill { target, number } => {
                let Some(node) = self.meet(target) else { return self.miss("kill", target) };
                self.met.insert(number, (node, self.processes[node].incarnation));
                self.processes[node].machine = None;
                self.processes[node].stopped = None;
                self.note(Who::Director, Note::Killed { node });
            }
            Step::Restart { number } => {
                let Some((node, incarnation)) = self.met.remove(&number) else { return };
                let incarnation = incarnation + 1;
                let machine = Node::new(self.setup.clone(), node, incarnation, self.now).unwrap();
                let skew_ns = self.processes[node].skew_ns;
                self.processes[node] =
                    Process { skew_ns, ..Process::new(Box::new(machine), incarnation) };
                self.note(Who::Director, Note::Restarted { node });
            }
            Step::Cut(sides) => {
                self.sides.clone_from(&sides);
                self.note(Who::Director, Note::Cut { sides });
            }
            Step::Heal => {
                self.sides = Vec::new();
                self.note(Who::Director, Note::Healed);
            }
            Step::Skew { node, by_ns } => {
                self.processes[node].skew_ns += by_ns;
                self.note(Who::Director, Note::Skewed { node, by_ns });
            }
        }
    }

    /// Returns whether a step is for a leader, and there may be one soon.
    pub(super) fn waits(&self) -> bool {
        let target = match self.plan.front() {
            Some((_, Step::Pause { target, .. } | Step::Kill { target, .. })) => *target,
            _ => return false,
        };
        target == Target::Leader
            && self.leader.is_none()
            && self.late < self.setup.timing.drain(Duration::ZERO)
    }

    /// Returns whom a fault is for, if it is there.
    fn meet(&self, target: Target) -> Option<usize> {
        let node = match target {
            Target::Leader => self.leader?,
            Target::Node(node) => node,
        };
        self.processes[node].machine.is_some().then_some(node)
    }

    fn miss(&mut self, fault: &str, target: Target) {
        let node = match target {
            Target::Leader => self.leader,
            Target::Node(node) => Some(node),
        };
        self.note(Who::Director, Note::Missed { fault: fault.to_owned(), node });
    }

    fn is_stopped(&self, node: usize) -> bool {
        self.processes[node].stopped.is_some()
    }
}
