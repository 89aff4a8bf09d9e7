//! Bodies that count the bytes which pass through them.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use axum::body::{Body, HttpBody};
use axum::http::Response;
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};

use super::Exchange;

/// A body, and what it is counted into. It holds the exchange, which thus ends no sooner than the
/// last byte is on its way.
struct Counted<B> {
    body: B,
    exchange: Arc<Exchange>,
    counter: fn(&Exchange) -> &AtomicU64,
}

/// The body of a request.
pub(crate) fn received<B>(body: B, exchange: &Arc<Exchange>) -> Body
where
    B: HttpBody<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    Body::new(Counted {
        body,
        exchange: Arc::clone(exchange),
        counter: |exchange| &exchange.received,
    })
}

/// An answer with its body.
pub(crate) fn sent(response: Response<Body>, exchange: Arc<Exchange>) -> Response<Body> {
    exchange.is_answered(response.status().as_u16());
    response.map(|body| {
        Body::new(Counted {
            body,
            exchange,
            counter: |exchange| &exchange.sent,
        })
    })
}

impl<B> HttpBody for Counted<B>
where
    B: HttpBody<Data = Bytes> + Unpin,
{
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && let Some(data) = frame.data_ref()
        {
            let length = data.len() as u64;
            (self.counter)(&self.exchange).fetch_add(length, Ordering::Relaxed);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
