"""Pure decisions of journeys: reading and checking a graph, moving people through it, comparing versions."""
