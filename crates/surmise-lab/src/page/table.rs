use maud::{Markup, html};

/// Returns a table that scrolls by itself where the screen is narrower, also by keys.
///
/// `content` is its head and bodies.
pub(crate) fn table(caption: &str, content: &Markup) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label=(caption) {
            // The caption stays where it is when the table below it is scrolled.
            table { caption { span { (caption) } } (content) }
        }
    }
}

/// Returns a table whose caption is for those who do not see the heading above it.
pub(crate) fn headed_table(caption: &str, content: &Markup) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label=(caption) {
            table { caption { span.unseen { (caption) } } (content) }
        }
    }
}
