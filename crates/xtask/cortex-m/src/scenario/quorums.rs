use core::{fmt, time::Duration};

use surmise_quorum::{
    Ballot, ByzantineQuorum, LeaderWatch, Majority, Opinion, ReadWriteQuorum, ReadWriteSizes,
    Weights,
};
use surmise_time::Instant;

use super::{random::Random, report::Report};

/// Reports how many votes are enough, whom a ballot convicts, and whose leading is an alarm.
pub(super) fn run(report: &mut Report<'_>) -> fmt::Result {
    sizes(report)?;
    ballot(report)?;
    leaders(report)
}

fn sizes(report: &mut Report<'_>) -> fmt::Result {
    for (number, nodes) in (0..9).zip(0_usize..) {
        let majority = Majority::new(nodes).map(|majority| (majority.size(), majority.tolerates()));
        report.value("majority", number, &majority)?;
        let byzantine = ByzantineQuorum::new(nodes);
        let byzantine = byzantine.map(|quorum| (quorum.size(), quorum.tolerates()));
        report.value("byzantine_quorum", number, &byzantine)?;
        let sizes = ReadWriteSizes { read: 2, write: 4 };
        report.value("read_write_quorum", number, &ReadWriteQuorum::new(nodes, sizes))?;
        let votes = [3, 2, nodes, 1];
        let tolerated = Weights::new(&votes).map(|weights| weights.majority().tolerates());
        report.value("weighted_majority", number, &tolerated)?;
    }
    Ok(())
}

fn ballot(report: &mut Report<'_>) -> fmt::Result {
    let mut random = Random::new(81);
    let Ok(majority) = Majority::new(5) else {
        return report.text("majority", 9, format_args!("refused"));
    };
    let Ok(mut ballot) = Ballot::new(0..5, majority, Duration::from_secs(3)) else {
        return report.text("ballot", 0, format_args!("refused"));
    };
    let mut now = Instant::ORIGIN;
    for number in 0..300 {
        now += Duration::from_nanos(random.below(500_000_000));
        let observer = random.below(6);
        match random.below(10) {
            0 => report.value("ballot_discount", number, &ballot.discount(&observer))?,
            1 | 2 => report.value("ballot_reinstate", number, &ballot.reinstate(&observer))?,
            3 => report.value("ballot_withdraw", number, &ballot.withdraw(&observer))?,
            kind => {
                let opinion = if kind < 8 { Opinion::Suspect } else { Opinion::Trust };
                let sequence = number / 4 + random.below(4);
                let receipt = ballot.vote(&observer, opinion, sequence, now);
                report.value("ballot_vote", number, &receipt)?;
            }
        }
        report.value("ballot_outcome", number, &ballot.outcome(now))?;
        report.deadline("ballot_deadline", number, ballot.deadline())?;
    }
    Ok(())
}

fn leaders(report: &mut Report<'_>) -> fmt::Result {
    let mut random = Random::new(82);
    let mut watch = LeaderWatch::<u64, 2>::remembering();
    for number in 0..100 {
        let (term, leader) = (number / 8 + random.below(4), random.below(2));
        let sighting = match random.below(2) {
            0 => watch.claim(term, leader),
            _ => watch.act(term, leader),
        };
        report.value("leader", number, &sighting)?;
    }
    Ok(())
}
