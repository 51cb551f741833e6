//! A future that is kept between polls, in what can still be shared.

use std::{
    future::Future,
    pin::Pin,
    sync::{Mutex, PoisonError},
    task::{Context, Poll},
};

/// A future that makes nothing around it less `Sync`: only its owner polls it.
pub(crate) struct Shared<T>(Mutex<Pin<Box<dyn Future<Output = T> + Send>>>);

impl<T> Shared<T> {
    pub(crate) fn new(future: impl Future<Output = T> + Send + 'static) -> Self {
        Self(Mutex::new(Box::pin(future)))
    }

    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<T> {
        self.0.get_mut().unwrap_or_else(PoisonError::into_inner).as_mut().poll(context)
    }

    pub(crate) fn into_inner(self) -> Pin<Box<dyn Future<Output = T> + Send>> {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}
