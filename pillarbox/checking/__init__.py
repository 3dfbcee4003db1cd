"""What can be wrong with a letter that composes: each concept in a module, each finding with its place and its mend."""
