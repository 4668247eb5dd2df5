"""The composition root and everything that runs: settings, what is opened, the stages, processes, web, commands."""
