use alloc::collections::VecDeque;
use core::{
    fmt,
    future::poll_fn,
    mem,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

/// The body of a response: the inner service's, passed on or replayed, or one of the layer's own.
pub struct IdempotentBody<B: Body> {
    /// What was read of the inner service's body, or all there is.
    front: VecDeque<Frame<Bytes>>,
    /// How reading went wrong.
    error: Option<B::Error>,
    rest: Option<Pin<Box<B>>>,
}

/// How many frames are kept apart.
const MAX_FRAMES: usize = 1024;

impl<B: Body> IdempotentBody<B> {
    pub(super) fn whole(bytes: Bytes) -> Self {
        let front = (!bytes.is_empty()).then(|| Frame::data(bytes));
        Self { front: front.into_iter().collect(), error: None, rest: None }
    }

    pub(super) fn passed(body: B) -> Self {
        Self { front: VecDeque::new(), error: None, rest: Some(Box::pin(body)) }
    }

    /// Adds a frame to the front, in which there are never many, however small they are.
    fn push(&mut self, frame: Frame<Bytes>) {
        if self.front.len() == MAX_FRAMES {
            let data = concat(mem::take(&mut self.front));
            self.front.push_back(Frame::data(data));
        }
        self.front.push_back(frame);
    }

    /// How much data of the front there is.
    fn buffered(&self) -> u64 {
        let data = self.front.iter().filter_map(Frame::data_ref);
        data.map(|data| data.len() as u64).fold(0, u64::saturating_add)
    }
}

/// What there is of a body after an attempt to read it.
pub(super) enum Collected<B: Body> {
    /// All of it.
    Whole(Bytes),
    /// It is longer than may be, has trailers, or could not be read to its end.
    Partial(IdempotentBody<B>),
}

impl<B: Body<Data = Bytes>> Collected<B> {
    /// Reads a body, up to a little more than `max` bytes of it.
    pub(super) async fn read(body: B, max: usize) -> Self {
        let max = max as u64;
        let is_too_long = body.size_hint().lower() > max;
        let mut partial = IdempotentBody::passed(body);
        if is_too_long {
            return Self::Partial(partial);
        }
        let mut length: u64 = 0;
        loop {
            match poll_fn(|context| partial.poll_rest(context)).await {
                None => return Self::Whole(concat(mem::take(&mut partial.front))),
                Some(Ok(frame)) => {
                    let data = frame.data_ref().map(|data| data.len() as u64);
                    partial.push(frame);
                    length = length.saturating_add(data.unwrap_or_default());
                    if data.is_none() || length > max {
                        return Self::Partial(partial);
                    }
                }
                Some(Err(error)) => {
                    partial.error = Some(error);
                    return Self::Partial(partial);
                }
            }
        }
    }
}

impl<B: Body<Data = Bytes>> IdempotentBody<B> {
    /// Polls the rest of the body, which is dropped when it ends.
    fn poll_rest(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let Some(rest) = &mut self.rest else { return Poll::Ready(None) };
        let polled = rest.as_mut().poll_frame(context);
        if matches!(polled, Poll::Ready(None | Some(Err(_)))) {
            self.rest = None;
        }
        polled
    }
}

/// Nothing in it is pinned but what has a place of its own.
impl<B: Body> Unpin for IdempotentBody<B> {}

impl<B: Body<Data = Bytes>> Body for IdempotentBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        if let Some(frame) = self.front.pop_front() {
            return Poll::Ready(Some(Ok(frame)));
        }
        if let Some(error) = self.error.take() {
            return Poll::Ready(Some(Err(error)));
        }
        self.poll_rest(context)
    }

    fn is_end_stream(&self) -> bool {
        self.front.is_empty()
            && self.error.is_none()
            && self.rest.as_ref().is_none_or(|rest| rest.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        let buffered = self.buffered();
        let rest =
            self.rest.as_ref().map_or_else(|| SizeHint::with_exact(0), |rest| rest.size_hint());
        let mut hint = SizeHint::new();
        hint.set_lower(rest.lower().saturating_add(buffered));
        // What ends with an error may have been longer.
        if let (Some(upper), None) = (rest.upper(), &self.error) {
            hint.set_upper(upper.saturating_add(buffered));
        }
        hint
    }
}

impl<B: Body> fmt::Debug for IdempotentBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdempotentBody").field("buffered", &self.buffered()).finish_non_exhaustive()
    }
}

/// Puts data together, without a copy if it is in one piece.
fn concat(frames: VecDeque<Frame<Bytes>>) -> Bytes {
    let mut data = frames.into_iter().filter_map(|frame| frame.into_data().ok());
    let (Some(first), second) = (data.next(), data.next()) else { return Bytes::new() };
    let Some(second) = second else { return first };
    let mut whole = [first, second].concat();
    data.for_each(|data| whole.extend_from_slice(&data));
    whole.into()
}
