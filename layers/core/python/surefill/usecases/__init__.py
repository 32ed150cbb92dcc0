"""One module per verb. A use case reads like the story of the business and knows the world only through ports."""
