//! What a row of buttons can be made of.

use crate::api::types::Button;

/// Buttons side by side: one, a list of one kind, or a tuple of up to eight of different kinds. Nobody else implements it.
///
/// `K` says which of these it is; it is inferred.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no button, no list of buttons, and no tuple of up to eight buttons",
    note = "`Button::callback(..)` and its like make buttons"
)]
pub trait Buttons<K>: sealed::Buttons<K> {}

mod sealed {
    use crate::api::types::Button;

    pub trait Buttons<K> {
        fn into_buttons(self) -> Vec<Button>;
    }
}

impl<K, T: sealed::Buttons<K>> Buttons<K> for T {}

/// A single button.
#[derive(Debug)]
pub struct One;

impl<B: Into<Button>> sealed::Buttons<One> for B {
    fn into_buttons(self) -> Vec<Button> {
        vec![self.into()]
    }
}

/// Buttons of one kind.
#[derive(Debug)]
pub struct List;

impl<I: IntoIterator<Item: Into<Button>>> sealed::Buttons<List> for I {
    fn into_buttons(self) -> Vec<Button> {
        self.into_iter().map(Into::into).collect()
    }
}

/// Buttons of different kinds.
#[derive(Debug)]
pub struct Mixed;

macro_rules! mixed {
    ($($button:ident)*) => {
        impl<$($button: Into<Button>),*> sealed::Buttons<Mixed> for ($($button,)*) {
            fn into_buttons(self) -> Vec<Button> {
                #[allow(non_snake_case)]
                let ($($button,)*) = self;
                vec![$($button.into()),*]
            }
        }
    };
}

mixed!(A);
mixed!(A B);
mixed!(A B C);
mixed!(A B C D);
mixed!(A B C D E);
mixed!(A B C D E F);
mixed!(A B C D E F G);
mixed!(A B C D E F G H);
