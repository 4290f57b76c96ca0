"""app.cli — the command line: options in, sentences and tables out; decides nothing, takes no secret as an argument."""
