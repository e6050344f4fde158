"""The benchmark: our responder beside the bot that `rasa init` makes, on the same machine in the same run."""
