"""Manager's pages: where hub, people and childcare meet. They stand at the top, so they may know every app."""
