"""The report: journal, period, tally (the numbers), definitions, prices, charts, questions, terminal, pages."""
