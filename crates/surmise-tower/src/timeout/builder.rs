use alloc::sync::Arc;
use core::time::Duration;

use surmise_timeout::{AdaptiveTimeoutConfig, Quantile, Ratio, sync::SharedAdaptiveTimeout};
use tower_layer::Layer;

use super::{AdaptiveTimeoutLayer, AdaptiveTimeoutService};

/// A layer whose timeout is being described: [`AdaptiveTimeoutLayer::p99`] begins one.
///
/// It can be used as a layer at any time, and its clones make services that share a timeout. Each of its methods begins
/// with a timeout that has learned nothing, whatever was made before; so only the layer that
/// [`build`](Self::build) returns shows [its own](AdaptiveTimeoutLayer::timeout).
///
/// There is nothing to go wrong, because what contradicts itself is
/// settled: the ceiling goes before the floor, both go before the prior, and what must not be zero is as little as
/// can be. To be told of contradictions instead, make a [`SharedAdaptiveTimeout`] for [`AdaptiveTimeoutLayer::new`].
#[derive(Clone, Debug)]
pub struct AdaptiveTimeoutBuilder {
    asked: Asked,
    /// Made with the timeout that was asked for, so that all clones share it.
    layer: AdaptiveTimeoutLayer,
}

/// What was asked for, contradictory or not.
#[derive(Clone, Copy, Debug)]
struct Asked {
    quantile: Quantile,
    factor: Ratio,
    floor: Duration,
    ceiling: Duration,
    prior: Option<Duration>,
}

impl AdaptiveTimeoutBuilder {
    pub(super) fn p99() -> Self {
        Self::of(Asked {
            quantile: Quantile::P99,
            factor: Ratio::ONE,
            // What a timer of tokio's can tell apart.
            floor: Duration::from_millis(1),
            ceiling: Duration::from_secs(30),
            prior: None,
        })
    }

    /// Returns a builder with another share of calls to be answered in time, instead of 99 %.
    #[must_use]
    pub fn quantile(self, quantile: Quantile) -> Self {
        Self::of(Asked { quantile, ..self.asked })
    }

    /// Returns a builder with another factor that the quantile is multiplied by, instead of 1. One of less than 1 is
    /// seldom right: see [`AdaptiveTimeoutConfig::factor`].
    #[must_use]
    pub fn factor(self, factor: Ratio) -> Self {
        Self::of(Asked { factor, ..self.asked })
    }

    /// Returns a builder with another least timeout, instead of 1 ms.
    #[must_use]
    pub fn floor(self, floor: Duration) -> Self {
        Self::of(Asked { floor, ..self.asked })
    }

    /// Returns a builder with another greatest timeout, instead of 30 s. It is 584 years at most.
    #[must_use]
    pub fn ceiling(self, ceiling: Duration) -> Self {
        Self::of(Asked { ceiling, ..self.asked })
    }

    /// Returns a builder with another timeout before anything is known, instead of the ceiling.
    #[must_use]
    pub fn prior(self, prior: Duration) -> Self {
        Self::of(Asked { prior: Some(prior), ..self.asked })
    }

    /// Returns the layer, to be named as a type or to read its timeout; the builder is a layer, too.
    ///
    /// # Examples
    ///
    /// ```
    /// use core::{convert::Infallible, time::Duration};
    /// use surmise_tower::AdaptiveTimeoutLayer;
    /// use tower::{Layer, ServiceExt, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), surmise_tower::BoxError> {
    /// let ceiling = Duration::from_secs(5);
    /// let layer = AdaptiveTimeoutLayer::p99().ceiling(ceiling).build();
    /// let service = layer.layer(service_fn(async |()| Ok::<_, Infallible>(())));
    /// assert_eq!(layer.timeout().current(), ceiling);
    /// service.oneshot(()).await?;
    /// assert!(layer.timeout().current() < ceiling);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn build(self) -> AdaptiveTimeoutLayer {
        self.layer
    }

    /// Returns the layer with a policy, whose [`deadline`](crate::Policy::deadline) and
    /// [`outcome`](crate::Policy::outcome) are asked.
    #[must_use]
    pub fn policy<P>(self, policy: P) -> AdaptiveTimeoutLayer<P> {
        self.layer.policy(policy)
    }

    fn of(asked: Asked) -> Self {
        let timeout = SharedAdaptiveTimeout::new(asked.config());
        let timeout = timeout.expect("what was asked for was made to agree with itself");
        Self { asked, layer: AdaptiveTimeoutLayer::new(Arc::new(timeout)) }
    }
}

impl<S> Layer<S> for AdaptiveTimeoutBuilder {
    type Service = AdaptiveTimeoutService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        self.layer.layer(inner)
    }
}

impl Asked {
    /// Returns the closest that can be had.
    fn config(self) -> AdaptiveTimeoutConfig {
        let ceiling = self.ceiling.clamp(SHORTEST, LONGEST);
        // Less than that could not be told apart from each other, where more is to be told from the ceiling.
        let lowest = (ceiling / 983_040).max(SHORTEST);
        let floor = self.floor.clamp(lowest, ceiling);
        AdaptiveTimeoutConfig {
            factor: self.factor.max(Ratio::from_millionths(1)),
            prior: self.prior.unwrap_or(ceiling).clamp(floor, ceiling),
            ..AdaptiveTimeoutConfig::of(self.quantile, floor, ceiling)
        }
    }
}

const SHORTEST: Duration = Duration::from_nanos(1);

const LONGEST: Duration = Duration::from_nanos(u64::MAX);

#[cfg(test)]
mod tests {
    use super::*;

    /// To make a layer of any of these would panic otherwise.
    #[test]
    fn contradictions_are_settled() {
        let durations = [0, 1, 5, u64::MAX].map(Duration::from_nanos);
        let durations = durations.into_iter().chain([Duration::MAX]);
        for ceiling in durations.clone() {
            for floor in durations.clone() {
                for prior in durations.clone() {
                    for factor in [Ratio::ZERO, Ratio::ONE, Ratio::from_millionths(u32::MAX)] {
                        let builder = AdaptiveTimeoutLayer::p99().factor(factor).prior(prior);
                        let builder = builder.floor(floor).ceiling(ceiling);
                        let current = builder.layer.timeout().current();
                        assert!(current <= ceiling.max(SHORTEST), "{builder:?}");
                        assert!(current >= floor.min(ceiling).min(LONGEST), "{builder:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn the_order_in_which_limits_are_stated_does_not_matter() {
        let [low, high] = [60, 90].map(Duration::from_secs);
        let upward = AdaptiveTimeoutLayer::p99().floor(low).prior(low).ceiling(high);
        let downward = AdaptiveTimeoutLayer::p99().ceiling(high).prior(low).floor(low);
        assert_eq!(
            (upward.layer.timeout().current(), downward.layer.timeout().current()),
            (low, low)
        );
        assert_eq!(upward.asked.config(), downward.asked.config());
    }

    #[test]
    fn nothing_known_means_the_ceiling() {
        let ceiling = Duration::from_secs(5);
        let builder = AdaptiveTimeoutLayer::p99().ceiling(ceiling);
        assert_eq!(builder.layer.timeout().current(), ceiling);
    }
}
