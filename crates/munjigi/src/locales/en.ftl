# Munjigi in English. The keys are described in pages/messages.rs; every language has the same keys and variables.

language-name = English
language-direction = ltr
language-switch = Language

## Times (UTC)

date = { $day } { $month ->
    [1] January
    [2] February
    [3] March
    [4] April
    [5] May
    [6] June
    [7] July
    [8] August
    [9] September
    [10] October
    [11] November
   *[12] December
} { $year }
datetime = { date }, { $time } UTC
ago-now = just now
ago-minutes = { $count ->
    [one] { $count } minute ago
   *[other] { $count } minutes ago
}
ago-hours = { $count ->
    [one] { $count } hour ago
   *[other] { $count } hours ago
}
ago-days = { $count ->
    [one] { $count } day ago
   *[other] { $count } days ago
}

## Words that several pages share

label-username = Username
label-name = Name
label-password = Password
label-confirm = Confirm password
label-current-password = Current password
label-new-password = New password
label-confirm-new = Confirm new password

go-log-in = Log in
go-log-out = Log out
go-register = Create an account
go-account = Your account
go-home = Back to start

form-check = Please check what you entered.
title-error = Error: { $title }
password-advice = At least { $min } characters; { $advised } or more is better. A sentence works well.
password-advice-long = At least { $min } characters. A sentence works well.

reason-expired = Your session has expired. Please log in again.
reason-ended = You were logged out on this device. Please log in again.
reason-reused = For your safety, we logged you out: your session seems to have been used somewhere else too. Please log in again, and change your password if that wasn’t you.
reason-again = Please enter your password again to go on.

## Log in

login-title = Log in
login-remember = Keep me logged in
login-no-account = New here?

## Register

register-title = Create an account
register-username-hint = { $min } to { $max } letters, digits, dots, hyphens or underscores.
register-name-hint = What we call you. You can change it at any time.
register-submit = Create account
register-have-account = Already have an account?

closed-title = Registration is closed
closed-text = New accounts can’t be created here at the moment. If you need one, please ask whoever runs this site.

## Info

info-title = Hello, { $name }
info-signed-in = You’re logged in as { $username }.
info-anonymous-title = You’re not logged in
info-anonymous-text = Log in to continue.
info-session-until = Logged in until
info-renews-at = Next renewal
info-until-hint = Using this site extends it.

## Account

account-title = Your account
account-username = Username: { $username }
account-name-title = Profile
account-name-save = Save name
account-password-title = Password
account-password-hint = Changing it logs you out on all other devices.
account-password-save = Change password
sessions-title = Where you’re logged in
sessions-this = This device
sessions-used = Last used
sessions-since = Logged in
sessions-end = Log out
sessions-end-this = Log out here
sessions-end-others = Log out everywhere else

saved-name = Your name has been saved.
saved-password = Your password has been changed.
saved-session = That device has been logged out.
saved-sessions = All other devices have been logged out.
unsaved-name = You had been logged out, so your name isn’t saved yet. It’s still in the form: save it once more.
unsaved-password = You had been logged out, so your password hasn’t been changed. Please try again.

## Log out

logout-title = Log out?
logout-text = You’re logged in as { $username } on this device.
logout-stay = Stay logged in
logout-nobody-title = You’re not logged in
logout-nobody-text = There’s nothing to log out of.

## Errors

error-request-id = Request ID

problem-validation-failed-title = Please check what you entered
problem-validation-failed-detail = Some of it needs another look.
problem-malformed-title = We couldn’t read that
problem-malformed-detail = Part of the request is missing or broken. Please go back and try again.
problem-username-taken-title = That username is taken
problem-username-taken-detail = Someone already uses this username. Please choose another.
problem-invalid-credentials-title = We couldn’t log you in
problem-invalid-credentials-detail = The username or password isn’t right.
problem-login-required-title = Please log in
problem-login-required-detail = You need to be logged in for this.
problem-session-ended-title = Your session has ended
problem-session-ended-detail = Please log in again.
problem-cross-origin-title = That came from another site
problem-cross-origin-detail = For your safety, we only accept requests from our own pages. Please open the page here and try again.
problem-forbidden-title = You can’t do that
problem-forbidden-detail = You don’t have permission for this.
problem-not-found-title = There’s nothing here
problem-not-found-detail = The address may be mistyped, or what was here is gone.
problem-method-not-allowed-title = That doesn’t work here
problem-method-not-allowed-detail = This address doesn’t take that kind of request.
problem-too-large-title = That’s too much
problem-too-large-detail = The request is larger than we accept.
problem-unsupported-media-type-title = We don’t know that format
problem-unsupported-media-type-detail = Please send a form or JSON.
problem-rate-limited-title = Too many attempts
problem-rate-limited-detail = Please try again in { MINUTES($seconds) ->
    [0] { $seconds ->
        [one] { $seconds } second
       *[other] { $seconds } seconds
    }
    [one] { MINUTES($seconds) } minute
   *[other] { MINUTES($seconds) } minutes
}.
problem-internal-title = Something went wrong
problem-internal-detail = It’s our fault, not yours. Please try again in a moment. If it keeps happening, send us the request ID.
problem-unavailable-title = We’ll be right back
problem-unavailable-detail = We can’t answer at the moment. Please try again shortly.

account-disabled = This account has been disabled. Please contact whoever runs this site.
registration-closed = New accounts can’t be created here at the moment.

## What is wrong with an input

field-required = Please fill this in.
field-username-length = Use { $min } to { $max } characters.
field-username-characters = Use only letters (A–Z), digits, dots, hyphens and underscores.
field-username-reserved = This username isn’t available. Please choose another.
field-username-taken = Someone already uses this username. Please choose another.
field-name-length = Use at most { $max } characters.
field-name-characters = This contains characters that can’t be used in a name.
field-password-short = Use at least { $min } characters.
field-password-long = Use at most { $max } characters.
field-password-common = This password is used so often that it’s easy to guess. Please choose another.
field-password-contains-username = Please choose a password without your username in it.
field-password-site-name = Please choose a password that’s more than the name of this site.
field-password-breached = This password is in a list that was stolen elsewhere, so attackers will try it. Please choose another.
field-password-differs = The two passwords don’t match.
field-password-wrong = That isn’t your current password.

## The first page, while nobody has an account

welcome-title = { $name } is ready
welcome-text = Nobody has an account here yet. Four steps, and your app has log-in.
welcome-account-title = Create the first account
welcome-account-text = It’s an account like any other, and you’ll be logged in right away.
welcome-account-closed = Registration is closed here. On the server, create one with:
welcome-app-title = Put it before your app
welcome-app-text = Choose what fits. The documentation has a page for each.
welcome-app-proxy = An app in any language: a proxy asks about each request.
welcome-app-rust = An app in Rust: log-in is built into it.
welcome-app-clients = Node.js, Python or a browser: the app checks by itself.
welcome-address-title = Say where people find it
welcome-address-text = Before others come, put the address that they type in into munjigi.toml, as:
welcome-doctor-title = See whether all is well
welcome-doctor-text = On the server, this looks at everything and says how to mend what is wrong:
welcome-until = This page is here until the first account exists.

## Devices

device-on = { $browser } on { $system }
device-unknown = Unknown device

## Components of pages to come, and the page that shows all components

label-email = Email address
label-code = 6-digit code

second-factor-title = Enter your code
second-factor-text = Open your authenticator app and enter the code it shows for this site.
second-factor-submit = Continue
second-factor-other = Use a recovery code instead

passkey-title = Log in with a passkey
passkey-text = Use your fingerprint, your face or the lock of your screen.
passkey-submit = Use a passkey
passkey-or = or
passkey-password = Use your password

forgot-title = Forgot your password?
forgot-text = Tell us your email address, and we’ll send you a link to choose a new one.
forgot-submit = Send the link
forgot-back = Back to log-in
sent-title = Check your email
sent-text = If there’s an account for { $email }, a link is on its way. It works for { $minutes ->
    [one] { $minutes } minute
   *[other] { $minutes } minutes
}.
reset-title = Choose a new password
verify-title = Confirm your email address
verify-text = Is { $email } yours?
verify-submit = Yes, it’s mine

mail-subject = Your new password for { $site }
mail-greeting = Hello, { $name }
mail-text = Someone, hopefully you, asked to choose a new password. The link works once, within { $minutes ->
    [one] { $minutes } minute
   *[other] { $minutes } minutes
}.
mail-button = Choose a new password
mail-not-me = Wasn’t it you? Then there’s nothing to do: your password stays as it is.

codes-title = Recovery codes
codes-text = Keep them somewhere safe. Each works once, when your phone isn’t at hand.
keys-title = Passkeys
keys-remove = Remove
keys-none = You have no passkeys yet.

delete-title = Delete your account?
delete-text = Everything of yours here goes with it, and it can’t be brought back.
delete-confirm = To confirm, type { $username }
delete-submit = Delete the account
delete-keep = Keep it

style-title = Style
style-text = Every component on one page, for whoever works on how they look.
style-buttons = Buttons
style-button-usual = Save
style-button-other = Cancel
style-button-plain = Skip
style-button-danger = Delete
style-button-busy = Saving…
style-inputs = Inputs
style-notices = Notices
style-notice-info = Something worth knowing.
style-notice-good = That worked.
style-notice-warn = That needs a look before long.
style-notice-bad = That didn’t work.
style-coming = Pages to come

## What the script says

password-show = Show: { $label }
password-caps = Caps Lock is on.
busy-log-in = Logging in…
busy-register = Creating your account…
busy-save = Saving…
watch-ended = You’re no longer logged in here. What you typed is still on this page.

## How strong a password is

strength-refused = Not usable yet.
strength-weak = Weak.
strength-fair = Fair.
strength-good = Good.
strength-strong = Strong.
strength-advice-common = It’s a word everyone tries, with little added. Put a few words together instead.
strength-advice-digits = Digits alone are quickly tried. Add words.
strength-advice-repeats = Repeating something adds little. Add other words.
strength-advice-rows = Rows of keys or letters are among the first to be tried. Add words.
strength-advice-known = Your username or the name of this site adds little. Add other words.
strength-advice-longer = Another word or two makes it stronger.

## One's own: empty unless a file in pages.folder says something

login-extra = { "" }
register-extra = { "" }
footer-extra = { "" }

legal-terms = Terms
legal-privacy = Privacy
register-agree = By creating an account, you agree to these:
