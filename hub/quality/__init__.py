"""What `satupintu quality DIR` measures: tables of quality on a folder of labelled complaints."""
