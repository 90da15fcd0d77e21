"""What every service shares: the published language and the machinery that keeps its promises."""
