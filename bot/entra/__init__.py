"""Microsoft Entra ID and Graph: who people are, and where they belong."""
