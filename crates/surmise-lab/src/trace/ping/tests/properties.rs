use super::*;

quickcheck::quickcheck! {
    fn what_ping_prints_reads_back(beats: Vec<(bool, u32, bool)>, stamped: bool) -> bool {
        let mut text = String::new();
        let mut expected = Vec::new();
        for (sequence, &(is_lost, micros, is_doubled)) in (1..).zip(&beats) {
            let round_trip = u64::from(micros) % 900_000;
            let sent = sequence * SECOND;
            let received = sent + round_trip * 1_000;
            if is_lost {
                let known = !stamped;
                expected.push(HeartbeatRecord::new(sequence, known.then_some(sent), None));
                continue;
            }
            for mark in ["", " (DUP!)"].iter().take(1 + usize::from(is_doubled)) {
                if stamped {
                    text += &format!("[{}.{:06}] ", received / SECOND, received % SECOND / 1_000);
                }
                text += &format!("64 bytes from 10.0.0.7: icmp_seq={sequence} ttl=56 ");
                text += &format!("time={}.{:03} ms{mark}\n", round_trip / 1_000, round_trip % 1_000);
                expected.push(HeartbeatRecord::new(sequence, Some(sent), Some(received)));
            }
        }
        // What was lost at either end is not in the output.
        let arrived = |beat: &HeartbeatRecord| beat.received.is_some();
        let Some(first) = expected.iter().position(arrived) else {
            return parse_ping("t", &text, Duration::from_secs(1)).is_err();
        };
        let last = expected.iter().rposition(arrived).unwrap_or(first);
        let traces = parse(&text);
        traces.len() == 1 && traces[0].beats == expected[first..=last]
    }

    fn the_count_of_rows_is_right_before_they_are_made(replies: Vec<(u8, bool, bool)>) -> bool {
        let mut session = Session::new(SECOND);
        for (sequence, stamped, duplicate) in replies {
            let line = Line::Reply(line::Reply {
                sequence: u64::from(sequence),
                stamp: stamped.then_some(SECOND),
                round_trip: Some(MS),
                duplicate,
            });
            if !session.is_ended_by(&line) {
                session.take(&line);
            }
        }
        session.rows() == session.into_beats().len()
    }

    fn no_text_panics(words: Vec<u8>, interval: u64) -> bool {
        const WORDS: [&str; 24] = [
            "64 bytes from ", "icmp_seq=", "icmp_seq ", " seq=", "1", "65535", "18446744073709551615",
            " time=", " time<", "0.5", ",", ".", " ms", " s", "\n", "[", "]", "[1.5]", "DUP!", "PING (",
            "no answer", "é", "\r", "ping statistics ---",
        ];
        let text: String = words.iter().map(|&word| WORDS[usize::from(word) % WORDS.len()]).collect();
        let _ = parse_ping("t", &text, Duration::from_nanos(interval));
        true
    }
}
