"""Part: CSV files and workbooks become rows of text under headings, each with the line that a person sees."""
