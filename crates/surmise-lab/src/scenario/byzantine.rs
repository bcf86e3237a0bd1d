//! Votes of loyal nodes and of liars, of which every combination is tried.

use surmise_quorum::{ByzantineQuorum, Majority};

use super::story::{Figure, Source, Story, Value};

const SOURCES: &[Source] = &[
    Source {
        title: "Pease, Shostak and Lamport, Reaching agreement in the presence of faults, 1980",
        url: "https://doi.org/10.1145/322186.322188",
    },
    Source {
        title: "Lamport, Shostak and Pease, The Byzantine generals problem, 1982",
        url: "https://doi.org/10.1145/357172.357176",
    },
    Source {
        title: "Malkhi and Reiter, Byzantine quorum systems, 1998",
        url: "https://doi.org/10.1007/s004460050050",
    },
];

const SETTING: &str = "Nodes vote whether to attack or to retreat, each tells all others, and \
                       each loyal one decides for what it has enough votes for, its own among \
                       them. Nothing is signed, so that a liar tells each of them what it likes, \
                       or nothing, and nobody can prove that it did. There are few \
                       enough worlds to try them all: whatever the loyal nodes are for, and \
                       whatever each is told.";

const LESSON: &str = "With three nodes there is no right number. Two votes can be had by both \
                      sides, since the liar votes twice; three cannot be had at all if the \
                      liar keeps silent. With four there is one: three votes are had by the \
                      loyal nodes alone, and any two sets of three have two nodes in common, \
                      of which at most one lies. So it goes on: without signatures, f liars \
                      need 3f + 1 nodes. Lamport, Shostak and Pease agree among any number that \
                      sign. Malkhi and Reiter store with 3f + 1 nodes only what proves itself; for \
                      anything else two quorums have to share more loyal nodes than liars, and \
                      that takes 4f + 1. This is what a protocol counts with, and no protocol: \
                      where the loyal nodes are of two minds, it may be that none decides, and \
                      it takes more rounds to bring them together.";

/// Tells the story.
pub(super) fn tell() -> Story {
    let outcomes = Outcome::all();
    let row = |outcome: &Outcome| {
        let Vote { nodes, liars, quorum } = outcome.vote;
        let verdict = match ByzantineQuorum::with_faults(nodes, liars) {
            Err(_) => "refuses",
            Ok(safe) if safe.size() == quorum => "this one",
            Ok(_) => "another",
        };
        let counts = [nodes, liars, quorum].map(Value::from);
        let found = [outcome.worlds, outcome.split, outcome.stuck].map(Value::from);
        [counts.as_slice(), &found, &[verdict.into()]].concat()
    };
    let columns = [
        "nodes",
        "liars",
        "votes\nneeded",
        "worlds\ntried",
        "two loyal nodes\ndisagree",
        "all loyal agree,\nbut one is stuck",
        "ByzantineQuorum",
    ];
    Story {
        setting: SETTING.to_owned(),
        figures: vec![
            Figure::table(
                "Three nodes, one of them a liar, and two votes decide. A world in which that \
                 goes wrong:",
                &[
                    "node",
                    "is for",
                    "the liar says",
                    "votes to attack",
                    "votes to retreat",
                    "decides",
                ],
                witness(Vote { nodes: 3, liars: 1, quorum: 2 }),
            ),
            Figure::table(
                "Every world there is, but for which node is which. In how many of them it goes \
                 wrong, and what ByzantineQuorum takes so many votes for:",
                &columns,
                outcomes.iter().map(row),
            ),
        ],
        lesson: LESSON.to_owned(),
        sources: SOURCES,
    }
}

/// How many vote, and how many votes decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Vote {
    nodes: usize,
    liars: usize,
    quorum: usize,
}

/// What came of all worlds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Outcome {
    vote: Vote,
    worlds: u64,
    /// In how many two loyal nodes decide differently.
    split: u64,
    /// In how many all loyal nodes are for the same, and not all of them decide for it.
    stuck: u64,
}

impl Outcome {
    /// Tries one liar among three to five nodes, and two among six and seven: from a majority on.
    fn all() -> Vec<Self> {
        let sizes = [(3, 1), (4, 1), (5, 1), (6, 2), (7, 2)];
        let votes = sizes.into_iter().flat_map(|(nodes, liars)| {
            let least = Majority::new(nodes).expect("there are nodes").size();
            (least..=nodes.min(least + 2)).map(move |quorum| Vote { nodes, liars, quorum })
        });
        votes.map(Self::of).collect()
    }

    fn of(vote: Vote) -> Self {
        let mut outcome = Self { vote, worlds: 0, split: 0, stuck: 0 };
        vote.each_world(|world| {
            let decided = |order| world.iter().any(|node| node.decides(vote.quorum) == Some(order));
            outcome.worlds += 1;
            outcome.split += u64::from(decided(Order::Attack) && decided(Order::Retreat));
            let wish = world.first().map(|node| node.wish);
            let agreed = world.iter().all(|node| Some(node.wish) == wish);
            let stuck = agreed && world.iter().any(|node| node.decides(vote.quorum) != wish);
            outcome.stuck += u64::from(stuck);
        });
        outcome
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Attack,
    Retreat,
}

impl Order {
    const fn text(self) -> &'static str {
        match self {
            Self::Attack => "attack",
            Self::Retreat => "retreat",
        }
    }
}

/// A loyal node: what it is for, and how many of the votes that it counts are for either.
#[derive(Clone, Copy, Debug)]
struct Loyal {
    wish: Order,
    attack: usize,
    retreat: usize,
}

impl Loyal {
    fn decides(&self, quorum: usize) -> Option<Order> {
        // A quorum is a majority, so that it is not both.
        if self.attack >= quorum {
            Some(Order::Attack)
        } else if self.retreat >= quorum {
            Some(Order::Retreat)
        } else {
            None
        }
    }
}

impl Vote {
    const fn loyal(self) -> usize {
        self.nodes - self.liars
    }

    /// Shows what each loyal node counts, in every world.
    fn each_world(self, mut show: impl FnMut(&[Loyal])) {
        // All that counts is how many liars tell a loyal node to attack, and how many to retreat.
        let told: Vec<(usize, usize)> = (0..=self.liars)
            .rev()
            .flat_map(|attack| (0..=self.liars - attack).map(move |retreat| (attack, retreat)))
            .collect();
        let mut world = Vec::with_capacity(self.loyal());
        for attackers in 0..=self.loyal() {
            self.tell_the_others(attackers, &told, &mut world, &mut show);
        }
    }

    fn tell_the_others(
        self,
        attackers: usize,
        told: &[(usize, usize)],
        world: &mut Vec<Loyal>,
        show: &mut impl FnMut(&[Loyal]),
    ) {
        if world.len() == self.loyal() {
            return show(world);
        }
        // Which of them are for the attack makes no difference.
        let wish = if world.len() < attackers { Order::Attack } else { Order::Retreat };
        for &(attack, retreat) in told {
            let (attack, retreat) = (attackers + attack, self.loyal() - attackers + retreat);
            world.push(Loyal { wish, attack, retreat });
            self.tell_the_others(attackers, told, world, show);
            world.pop();
        }
    }
}

/// Returns a row for each loyal node, of the first world in which two of them decide differently.
fn witness(vote: Vote) -> Vec<Vec<Value>> {
    let mut rows = Vec::new();
    vote.each_world(|world| {
        let decisions = world.iter().map(|node| node.decides(vote.quorum));
        let decisions: Vec<_> = decisions.flatten().collect();
        let split = decisions.windows(2).any(|pair| pair.first() != pair.last());
        if !split || !rows.is_empty() {
            return;
        }
        let attackers = world.iter().filter(|node| node.wish == Order::Attack).count();
        for (node, name) in world.iter().zip('A'..) {
            let told = if node.attack > attackers { "attack" } else { "retreat" };
            let decides = node.decides(vote.quorum).map_or("nothing", Order::text);
            let counts = [node.attack, node.retreat].map(Value::from);
            let texts = [name.to_string().into(), node.wish.text().into(), told.into()];
            rows.push([texts.as_slice(), &counts, &[decides.into()]].concat());
        }
    });
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(nodes: usize, liars: usize, quorum: usize) -> Outcome {
        Outcome::of(Vote { nodes, liars, quorum })
    }

    #[test]
    fn three_nodes_have_no_quorum_that_is_safe_and_can_be_had() {
        let [two, three] = [2, 3].map(|quorum| outcome(3, 1, quorum));
        assert!(two.split > 0 && two.stuck == 0, "{two:?}");
        assert!(three.split == 0 && three.stuck > 0, "{three:?}");
        // Two loyal nodes, each of which is for one of two things and told one of three.
        assert_eq!(two.worlds, 3 * 3 * 3);
    }

    #[test]
    fn where_there_is_a_byzantine_quorum_it_goes_wrong_in_no_world_and_any_other_does() {
        for found in Outcome::all() {
            let Vote { nodes, liars, quorum } = found.vote;
            let is_right = found.split == 0 && found.stuck == 0;
            let safe = ByzantineQuorum::with_faults(nodes, liars);
            assert_eq!(is_right, safe.is_ok_and(|safe| safe.size() == quorum), "{found:?}");
        }
        assert_eq!(ByzantineQuorum::tolerating(1).unwrap().nodes(), 4);
        assert_eq!(ByzantineQuorum::tolerating(2).unwrap().nodes(), 7);
    }

    #[test]
    fn the_witness_is_two_loyal_nodes_of_two_minds() {
        let rows = witness(Vote { nodes: 3, liars: 1, quorum: 2 });
        let decisions: Vec<_> = rows.iter().map(|row| row.last().unwrap().clone()).collect();
        assert_eq!(decisions, ["attack".into(), "retreat".into()]);
        assert!(witness(Vote { nodes: 4, liars: 1, quorum: 3 }).is_empty());
    }
}
