own-greeting = Turn towards the sun.
own-greeting-more = { $site } keeps your seeds, your garden and your neighbours in one place.

register-extra = It’s free, and takes a minute.
