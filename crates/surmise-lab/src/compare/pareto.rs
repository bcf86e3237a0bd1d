//! Which results no other beats, and how many mistakes go with a detection time.

/// Marks the points that no other dominates: none is at most as slow with at most as many mistakes,
/// and better in one of the two.
///
/// A point is a mean detection time and a number of mistakes.
pub(crate) fn front(points: &[(f64, u64)]) -> Vec<bool> {
    let mut order: Vec<(usize, (f64, u64))> = points.iter().copied().enumerate().collect();
    order.sort_by(|(_, a), (_, b)| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let mut on_front = vec![false; points.len()];
    let mut best: Option<(f64, u64)> = None;
    for (index, point) in order {
        if best.is_none_or(|best| point.1 < best.1 || point == best) {
            best = Some(point);
            if let Some(mark) = on_front.get_mut(index) {
                *mark = true;
            }
        }
    }
    on_front
}

/// Returns whether the first point is at least as good as the second, and better in one respect.
pub(crate) fn dominates(a: (f64, u64), b: (f64, u64)) -> bool {
    a.0 <= b.0 && a.1 <= b.1 && a != b
}

/// Returns the mistakes at a mean detection time, between the two points of a sweep around it.
///
/// Mistakes fall about geometrically with the detection time, so their logarithms are interpolated.
/// A detection time that is not positive has no logarithm and is interpolated as it is.
pub(crate) fn mistakes_at(points: &[(f64, u64)], detection_time: f64) -> Option<f64> {
    let mut sorted = points.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let between = sorted.windows(2).find_map(|pair| match pair {
        [a, b] if (a.0..=b.0).contains(&detection_time) => Some((*a, *b)),
        _ => None,
    });
    let ((left, more), (right, fewer)) = between?;
    if left == right || more == fewer {
        return Some(float(more));
    }
    let share = if left > 0.0 {
        (detection_time / left).ln() / (right / left).ln()
    } else {
        (detection_time - left) / (right - left)
    };
    // Half a mistake more, so that none at all has a logarithm too.
    let (more, fewer) = ((float(more) + 0.5).ln(), (float(fewer) + 0.5).ln());
    Some(((more + (fewer - more) * share).exp() - 0.5).max(0.0))
}

fn float(mistakes: u64) -> f64 {
    super::number::float(mistakes.into())
}

#[cfg(test)]
mod tests {
    use quickcheck::quickcheck;

    use super::*;

    quickcheck! {
        fn the_front_is_what_nothing_dominates(points: Vec<(u8, u8)>) -> bool {
            let points: Vec<(f64, u64)> =
                points.iter().map(|&(time, mistakes)| (time.into(), mistakes.into())).collect();
            let naive: Vec<bool> = points
                .iter()
                .map(|&point| !points.iter().any(|&other| dominates(other, point)))
                .collect();
            front(&points) == naive
        }
    }

    #[test]
    fn mistakes_are_interpolated_only_inside_the_sweep() {
        let points = [(4.0, 0), (1.0, 100), (2.0, 10)];
        assert_eq!(mistakes_at(&points, 0.99), None);
        assert_eq!(mistakes_at(&points, 4.01), None);
        assert_eq!(mistakes_at(&points, f64::NAN), None);
        assert_eq!(mistakes_at(&points[..1], 4.0), None);
        for (time, mistakes) in [(1.0, 100.0), (2.0, 10.0), (4.0, 0.0)] {
            assert!((mistakes_at(&points, time).unwrap() - mistakes).abs() < 1e-9);
        }
        let middle = mistakes_at(&points, 2_f64.sqrt()).unwrap();
        assert!((middle - ((100.5_f64 * 10.5).sqrt() - 0.5)).abs() < 1e-9, "{middle}");
    }

    #[test]
    fn mistakes_are_interpolated_where_times_are_not_positive() {
        let middle = (100.5_f64 * 10.5).sqrt() - 0.5;
        for (left, time, right) in [(-1.0, 1.0, 3.0), (0.0, 1.0, 2.0), (-4.0, -3.0, -2.0)] {
            let found = mistakes_at(&[(left, 100), (right, 10)], time).unwrap();
            assert!((found - middle).abs() < 1e-9, "{left} {time} {right}: {found}");
        }
        assert_eq!(mistakes_at(&[(-1.0, 5), (-1.0, 9)], -1.0), Some(5.0));
    }
}
