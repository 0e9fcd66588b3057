select date, name, value, year from t;
