use core::{fmt, num::NonZeroU64};

use surmise_fence::{Fence, FencingToken, Pass, StrictFence};

use super::{Random, Report};

/// Reports what two fences admit, and tokens as bytes and as text.
pub(super) fn run(report: &mut Report<'_>) -> fmt::Result {
    let mut random = Random::new(61);
    let (mut fence, mut strict) = (Fence::new(), StrictFence::new());
    for number in 0..300 {
        let counter = NonZeroU64::MIN.saturating_add(number / 10 + random.below(8));
        let token = FencingToken::new(number / 100, counter);
        let pass = Pass::from(token).with_nonce(random.below(2)).with_sequence(random.below(4));
        report.value("fence", number, &fence.admit(token))?;
        report.value("strict_fence", number, &strict.admit(pass))?;
        if random.below(8) == 0 {
            report.value("strict_fence_raise", number, &strict.raise(pass))?;
        }
        report.value("pass_bytes", number, &pass.to_bytes())?;
        report.text("token", number, format_args!("{token}"))?;
    }
    report.text("token", 300, format_args!("{}", FencingToken::MAX))
}
