//! Types that make a row of buttons.

use crate::api::types::Button;

/// One or more buttons, as a parameter of methods such as [`Keyboard::row`](crate::Keyboard::row).
///
/// The parameter has one of these forms:
///
/// - one button
/// - an array, a `Vec` or an iterator of buttons of one Rust type
/// - a tuple of at most eight buttons, which can have different Rust types
///
/// The compiler infers `K`, which distinguishes these three forms. This trait is sealed: other crates cannot implement
/// it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a button, a list of buttons, or a tuple of up to eight buttons",
    note = "create buttons with `Button::callback(..)` and similar functions"
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
