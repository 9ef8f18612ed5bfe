# Only what this shop says in its own way.

login-title = Welcome back
login-extra = Orders from the old shop are here too: log in with the same username and password.
footer-extra = Open every day but Monday.
