"""Scripts of users, run in a jailed process: JavaScript in QuickJS, and TBEL translated to it."""
